# SPDX-License-Identifier: PostgreSQL
"""Benchmarks: paired and interleaved, so that ratios hold where seconds do not."""
