// SPDX-License-Identifier: PostgreSQL
#include "lsn.h"

/* -1 when it is no hexadecimal digit, whatever the locale says. */
static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* One half, one to eight digits. Gives where it ends; NULL when it is none. */
static const char *parse_half(const char *text, uint32_t *out)
{
	const char *at = text;
	*out = 0;
	for (; digit(*at) >= 0; at++) {
		if (at - text == 8)
			return NULL;
		*out = *out << 4 | (uint32_t)digit(*at);
	}
	return at > text ? at : NULL;
}

bool lsn_parse(const char *text, lsn_t *out)
{
	uint32_t high, low;
	const char *at = parse_half(text, &high);
	if (!at || *at != '/')
		return false;
	at = parse_half(at + 1, &low);
	if (!at || *at != '\0')
		return false;
	*out = (lsn_t)high << 32 | low;
	return true;
}
