// SPDX-License-Identifier: PostgreSQL
/* Peers and mirrors as values: finding, replacing, copying and checking them one by one. */
#include <pgpier/config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fields.h"

/* Position of the record of that name; the count when there is none. */
static size_t position(const struct config *c, const struct field *f, const char *name)
{
	size_t count = records_count(f, c);
	const struct field *key = record_field(f->record, "name");
	for (size_t i = 0; name && i < count; i++) {
		const char *other = field_text_borrow(key, records_at(f, c, i));
		if (other && strcmp(other, name) == 0)
			return i;
	}
	return count;
}

static void *find(const struct config *c, const char *list, const char *name)
{
	const struct field *f = record_field(&config_record, list);
	size_t i = position(c, f, name);
	return i < records_count(f, c) ? records_at(f, c, i) : NULL;
}

static void put(struct config *c, const char *list, void *take, const char *name)
{
	const struct field *f = record_field(&config_record, list);
	void *place = find(c, list, name);
	if (place)
		record_free(f->record, place);
	else
		place = records_add(f, c);
	memcpy(place, take, f->record->size);
	memset(take, 0, f->record->size);
}

/* The others keep their order, which is the order of the file and of the lists on screens. */
static void remove_named(struct config *c, const char *list, const char *name)
{
	const struct field *f = record_field(&config_record, list);
	size_t count = records_count(f, c);
	size_t i = position(c, f, name);
	if (i == count)
		return;
	record_free(f->record, records_at(f, c, i));
	memmove(records_at(f, c, i), records_at(f, c, i + 1), (count - i - 1) * f->record->size);
	count--;
	memcpy((char *)c + f->beside, &count, sizeof(count));
}

struct peer_config *config_find_peer(const struct config *c, const char *name)
{
	return find(c, "peers", name);
}

struct mirror_config *config_find_mirror(const struct config *c, const char *name)
{
	return find(c, "mirrors", name);
}

void config_put_peer(struct config *c, struct peer_config *p)
{
	put(c, "peers", p, p->name);
}

void config_put_mirror(struct config *c, struct mirror_config *m)
{
	put(c, "mirrors", m, m->name);
}

void config_remove_peer(struct config *c, const char *name)
{
	remove_named(c, "peers", name);
}

void config_remove_mirror(struct config *c, const char *name)
{
	remove_named(c, "mirrors", name);
}

void config_free(struct config *c)
{
	if (!c)
		return;
	free(c->directory);
	record_free(&config_record, c);
	free(c);
}

void config_problems_free(struct config_problems *p)
{
	strings_free(&p->lines);
}

void peer_config_copy(struct peer_config *dst, const struct peer_config *src)
{
	record_copy(&peer_record, dst, src);
}

void peer_config_free(struct peer_config *p)
{
	if (p)
		record_free(&peer_record, p);
}

void mirror_config_defaults(struct mirror_config *m)
{
	record_defaults(&mirror_record, m);
}

void mirror_config_copy(struct mirror_config *dst, const struct mirror_config *src)
{
	record_copy(&mirror_record, dst, src);
}

void mirror_config_free(struct mirror_config *m)
{
	if (m)
		record_free(&mirror_record, m);
}

bool config_name_ok(const char *name)
{
	static const char allowed[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.";
	size_t length = name ? strlen(name) : 0;
	return length > 0 && length < NAME_SIZE && name[0] != '-' && name[0] != '.' &&
		   strspn(name, allowed) == length;
}

/* Slots take lower-case letters, digits and underscores only; a publication of the same name is found
 * beside it. */
static void name_from_mirror(const char *mirror, char out[NAME_SIZE])
{
	snprintf(out, NAME_SIZE, "pgpier_%s", mirror);
	for (char *s = out; *s != '\0'; s++) {
		if (*s >= 'A' && *s <= 'Z')
			*s = (char)(*s - 'A' + 'a');
		else if (!(*s >= 'a' && *s <= 'z') && !(*s >= '0' && *s <= '9'))
			*s = '_';
	}
}

void mirror_slot_name(const struct mirror_config *m, char out[NAME_SIZE])
{
	if (m->slot && m->slot[0] != '\0')
		copy_text(out, NAME_SIZE, m->slot);
	else
		name_from_mirror(m->name, out);
}

void mirror_publication_name(const struct mirror_config *m, char out[NAME_SIZE])
{
	if (m->publication && m->publication[0] != '\0')
		copy_text(out, NAME_SIZE, m->publication);
	else
		name_from_mirror(m->name, out);
}

/* Keeps the first complaint. */
struct first_complaint {
	struct complaints base;
	struct error *error;
	const char *prefix;
	bool any;
};

static void keep_first(struct complaints *c, const char *field, const char *text)
{
	struct first_complaint *first = (struct first_complaint *)c;
	(void)field;
	if (!first->any)
		error_set(first->error, ERROR_CONFIG, "%s%s", first->prefix, text);
	first->any = true;
}

bool peer_config_check(const struct peer_config *p, struct error *e)
{
	struct first_complaint first = { { keep_first }, e, "", false };
	record_check(&peer_record, p, &first.base);
	return !first.any;
}

bool mirror_config_check(const struct mirror_config *m, struct error *e)
{
	struct first_complaint first = { { keep_first }, e, "", false };
	record_check(&mirror_record, m, &first.base);
	first.prefix = "map: ";
	for (size_t i = 0; i < m->map_count; i++) {
		record_check(&map_record, &m->map[i], &first.base);
		for (size_t k = 0; k < m->map[i].column_count; k++)
			record_check(&column_map_record, &m->map[i].columns[k], &first.base);
	}
	return !first.any;
}
