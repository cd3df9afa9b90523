// SPDX-License-Identifier: PostgreSQL
/* The terminal's side: shows what the background engine draws, and sends what is typed. It knows no key and draws
 * nothing; it owns the terminal's modes, and gives them back however either side ends. */
#ifndef ATTACH_CLIENT_H
#define ATTACH_CLIENT_H

#include <pgpier/error.h>

#include "wire.h"

/* Who asks, from which terminal, of which kind; the caller adds what it wants. */
void client_hello(struct wire_hello *h, enum wire_purpose purpose);

/* Attaches the terminal on stdin and stdout until it is detached, by whoever; asks first when somebody else is
 * attached. Takes the socket. Returns the exit status. */
int client_attach(int take_socket, const struct wire_hello *h);

/* Asks for anything else. Takes the socket. *status is filled when that was asked for, else *bye. */
bool client_ask(int take_socket, const struct wire_hello *h, struct wire_status *status, struct wire_bye *bye,
	struct error *e) MUST_CHECK;

#endif
