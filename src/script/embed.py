#!/usr/bin/env python3
# SPDX-License-Identifier: PostgreSQL
"""Turns the templates into a C array when pgpier is built: embed.py FOLDER OUT FILE...

Bytes as numbers, because a C compiler need not take a string literal as long as a script.
"""
import os
import sys


def main(folder, out, *paths):
	lines = ["#include <stddef.h>", '#include "script/templates.h"', ""]
	names = []
	for number, path in enumerate(paths):
		with open(path, "rb") as f:
			data = f.read()
		names.append(os.path.relpath(path, folder))
		lines.append("static const char file_%d[] = {" % number)
		for start in range(0, len(data), 24):
			lines.append("\t" + " ".join("%d," % (b if b < 128 else b - 256) for b in data[start:start + 24]))
		lines += ["\t0,", "};", ""]
	lines.append("const struct template templates[] = {")
	lines += ['\t{ "%s", file_%d },' % pair[::-1] for pair in enumerate(names)]
	lines += ["};", "const size_t template_count = sizeof(templates) / sizeof(templates[0]);", ""]
	with open(out, "w", encoding="ascii") as f:
		f.write("\n".join(lines))


if __name__ == "__main__":
	main(*sys.argv[1:])
