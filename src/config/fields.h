// SPDX-License-Identifier: PostgreSQL
/* What peers, mirrors and maps consist of, said once. A record is a struct, its fields are the keys
 * of its group in a file. Loading, saving, copying, freeing, checking, finding unknown keys and the
 * test of config.example all walk these tables; a new key is one new line in fields.c. */
#ifndef CONFIG_FIELDS_H
#define CONFIG_FIELDS_H

#include <pgpier/config.h>

struct record;

enum field_type {
	FIELD_TEXT,
	FIELD_PASSWORD, /* text that stays in memory if the bool at `beside` is set: the word "ask" */
	FIELD_INT,
	FIELD_INT64,
	FIELD_REAL, /* a double; its range and default are whole numbers, files keep thousandths */
	FIELD_BOOL,
	FIELD_CHOICE,  /* an enum, written as one of `choices` */
	FIELD_TEXTS,   /* struct strings */
	FIELD_RECORDS, /* an array of `record`, its size_t count at `beside` */
};

struct field {
	const char *name;
	enum field_type type;
	bool required;
	bool secret;   /* wiped before it is freed, never quoted in a message */
	bool may_be_0; /* in the struct, 0 means "not given", whatever the range of a file is */
	size_t offset;
	size_t beside;
	int64_t min, max;
	int64_t initial;
	const char *initial_text;
	const char *const *choices; /* NULL-terminated; with FIELD_TEXT they are kept as text */
	const struct record *record;
};

/* Takes what is wrong with one field of a record: a form keeps the first, a file wants all. `text`
 * begins with the field's name. */
struct complaints {
	void (*add)(struct complaints *c, const char *field, const char *text);
};
void complain(struct complaints *c, const char *field, const char *fmt, ...) PG_PRINTF(3, 4);

struct record {
	const char *what; /* "peer" */
	size_t size;
	const struct field *fields; /* ends with a NULL name */
	/* Rules between fields; NULL if there are none. */
	void (*check)(const void *value, struct complaints *c);
};

extern const struct record config_record; /* struct config: the top level of a file */
extern const struct record peer_record;
extern const struct record mirror_record;
extern const struct record map_record;
extern const struct record column_map_record;
extern const struct record role_map_record;

const struct field *record_field(const struct record *r, const char *name); /* NULL: unknown */
/* Rules of every field by itself, then those of the record. Records inside are not entered. */
void record_check(const struct record *r, const void *value, struct complaints *c);
void record_defaults(const struct record *r, void *value); /* zeroes first */
void record_copy(const struct record *r, void *dst, const void *src);
void record_free(const struct record *r, void *value); /* and zeroes */

/* Access to a member that is a scalar, by its table entry. */
int64_t field_number(const struct field *f, const void *value);
void field_set_number(const struct field *f, void *value, int64_t number);
char **field_text(const struct field *f, void *value);
const char *field_text_borrow(const struct field *f, const void *value); /* NULL for NULL and "" */
double field_real(const struct field *f, const void *value);
void field_set_real(const struct field *f, void *value, double number);
struct strings *field_texts(const struct field *f, void *value);
struct strings field_texts_borrow(const struct field *f, const void *value);
bool field_asks(const struct field *f, const void *value); /* of a FIELD_PASSWORD */
void field_set_asks(const struct field *f, void *value);
bool field_in_range(const struct field *f, int64_t number);
/* Index of name in choices, -1 if it is none. */
int choice_index(const char *const *choices, const char *name);
/* Appends "auto, ntile or ctid". */
void choices_list(struct strbuf *b, const char *const *choices);

/* A new element, all zero, at the end of an array of records. */
void *records_add(const struct field *f, void *value);
size_t records_count(const struct field *f, const void *value);
void *records_at(const struct field *f, const void *value, size_t i);

/* Does libpq understand the string, and does it hold a password? */
bool conninfo_parses(const char *conninfo, bool *has_password);

#endif
