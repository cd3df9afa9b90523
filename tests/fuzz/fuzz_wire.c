// SPDX-License-Identifier: PostgreSQL
/* Any bytes as what a guest or the engine sends, in pieces of any size: no read outside of what came, and what is
 * understood is written back as it was. Input: the size of the pieces, then the bytes. */
#include <stdlib.h>
#include <string.h>

#include "../../ui/attach/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Of exactly this size, so that the sanitizer sees the first byte too many. */
static struct wire_frame copy(const struct wire_frame *f, uint8_t **mine)
{
	*mine = xmalloc(f->size > 0 ? f->size : 1);
	memcpy(*mine, f->payload, f->size);
	return (struct wire_frame){ f->kind, *mine, f->size };
}

static void must_be(struct wire_buffer *written, const struct wire_frame *f)
{
	struct wire_frame again;
	if (wire_next(written, &again) != WIRE_FRAME || again.kind != f->kind || again.size != f->size ||
		memcmp(again.payload, f->payload, f->size) != 0)
		abort();
}

static void one_frame(const struct wire_frame *given)
{
	union {
		struct wire_hello hello;
		struct wire_size size;
		struct wire_status status;
		struct wire_bye bye;
	} u;
	struct wire_buffer out = { 0 };
	uint8_t *bytes;
	struct wire_frame f = copy(given, &bytes);
	if (wire_hello(&f, &u.hello)) {
		if (u.hello.version == WIRE_VERSION)
			wire_put_hello(&out, &u.hello);
	} else if (wire_size(&f, &u.size)) {
		wire_put_size(&out, u.size);
	} else if (wire_status(&f, &u.status)) {
		wire_put_status(&out, &u.status);
	} else if (wire_bye(&f, &u.bye)) {
		wire_put_bye(&out, &u.bye);
	}
	if (wire_pending(&out) > 0)
		must_be(&out, &f);
	free(bytes);
	wire_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wire_buffer in = { 0 };
	struct wire_frame f;
	enum wire_result result = WIRE_MORE;
	size_t piece = size > 0 ? data[0] + 1u : 1;
	for (size_t at = 1; at < size && result != WIRE_BROKEN; at += piece) {
		wire_compact(&in);
		strbuf_addn(&in.bytes, data + at, MIN(piece, size - at));
		while ((result = wire_next(&in, &f)) == WIRE_FRAME)
			one_frame(&f);
	}
	wire_free(&in);
	return 0;
}
