// SPDX-License-Identifier: PostgreSQL
/* What a terminal's pgpier and the background engine say to each other: frames of a kind, a length and a payload.
 *
 *     guest                     engine
 *     HELLO           --->                     who, which version, what for
 *                     <---      BUSY           somebody is attached: TAKE, or leave
 *     TAKE            --->
 *                     <---      WELCOME        attached from here on
 *     INPUT SIZE REDRAW  --->
 *                     <---      OUTPUT RESTORE
 *                     <---      STATUS         in place of WELCOME, to who only asks
 *                     <---      BYE            the last word, always with the sentence to print
 *
 * HELLO's magic and version, and BYE, stay as they are in every version, so that two that differ can say so. Encoding
 * and decoding is pure; nothing that a frame says is believed before it was decoded whole. */
#ifndef ATTACH_WIRE_H
#define ATTACH_WIRE_H

#include <pgpier/base.h>

#define WIRE_VERSION 1
#define WIRE_PAYLOAD_MAX 16384

enum wire_kind {
	WIRE_HELLO = 1,
	WIRE_TAKE,
	WIRE_INPUT,  /* bytes typed */
	WIRE_SIZE,   /* of the terminal now */
	WIRE_REDRAW, /* all of it: what it shows is unknown */
	WIRE_WELCOME = 65,
	WIRE_BUSY,    /* a sentence */
	WIRE_OUTPUT,  /* bytes to show */
	WIRE_RESTORE, /* bytes that give the terminal back, should the engine be gone */
	WIRE_STATUS,
	WIRE_BYE,
};

enum wire_purpose { WIRE_TO_ATTACH, WIRE_TO_ASK, WIRE_TO_DETACH, WIRE_TO_STOP, WIRE_TO_PAUSE, WIRE_PURPOSES };

struct wire_size {
	uint16_t rows, cols;
};

struct wire_hello {
	uint16_t version; /* when it is not ours, nothing below is known */
	enum wire_purpose purpose;
	bool force;    /* attach: take the place of who is attached; stop: also in a cutover */
	bool readonly;
	bool ascii, utf8, mouse, tmux;
	uint8_t color; /* enum color_mode */
	struct wire_size size;
	char release[32]; /* of pgpier */
	char term[64];
	char from[128]; /* "pts/3 from 10.0.0.7" */
	char mirror[NAME_SIZE]; /* to pause */
	char config[1024]; /* attach: the full path of the configuration that was named; empty: none was */
};

struct wire_status {
	int64_t pid;
	int64_t since_us, attached_us; /* wall clock; attached_us 0: nobody is */
	char release[32];
	char from[128];     /* who is attached */
	char sentence[256]; /* "shop-2026 64%, ~1h 05m left" */
};

struct wire_bye {
	uint8_t code;  /* exit status */
	bool restored; /* the console has given the terminal back itself */
	char text[512];
};

/* Bytes on their way in or out. */
struct wire_buffer {
	struct strbuf bytes;
	size_t done; /* of them: sent, or decoded */
};
void wire_free(struct wire_buffer *b);
size_t wire_pending(const struct wire_buffer *b);
void wire_compact(struct wire_buffer *b); /* what is done makes room */

struct wire_frame {
	enum wire_kind kind;
	const uint8_t *payload; /* in the buffer, until it is next received into */
	size_t size;
};

enum wire_result { WIRE_FRAME, WIRE_MORE, WIRE_BROKEN };
enum wire_result wire_next(struct wire_buffer *in, struct wire_frame *out);

/* Payloads longer than a frame are split. */
void wire_put(struct wire_buffer *out, enum wire_kind kind, const void *payload, size_t size);
void wire_put_hello(struct wire_buffer *out, const struct wire_hello *h);
void wire_put_size(struct wire_buffer *out, struct wire_size size);
void wire_put_status(struct wire_buffer *out, const struct wire_status *s);
void wire_put_bye(struct wire_buffer *out, const struct wire_bye *b);

/* False when the payload is not what its kind says; *out is undefined then. */
bool wire_hello(const struct wire_frame *f, struct wire_hello *out) MUST_CHECK;
bool wire_size(const struct wire_frame *f, struct wire_size *out) MUST_CHECK;
bool wire_status(const struct wire_frame *f, struct wire_status *out) MUST_CHECK;
bool wire_bye(const struct wire_frame *f, struct wire_bye *out) MUST_CHECK;

/* Sends or receives what can be without waiting. False: the other side is gone. */
bool wire_send(int socket, struct wire_buffer *out) MUST_CHECK;
bool wire_receive(int socket, struct wire_buffer *in) MUST_CHECK;

#endif
