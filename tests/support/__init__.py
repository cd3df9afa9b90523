# SPDX-License-Identifier: PostgreSQL
"""What the tests, the demo and the benchmarks share: throw-away servers, comparison, pgpier, terminals."""
