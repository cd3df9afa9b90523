// SPDX-License-Identifier: PostgreSQL
/* What other verbs ask of an engine in the background. False: there is none. */
#ifndef CLI_ENGINE_H
#define CLI_ENGINE_H

#include <pgpier/json.h>

#include "../attach/wire.h"
#include "args.h"

bool engine_pauses(const struct args *a, struct wire_bye *bye) MUST_CHECK;
bool engine_status(const struct args *a, struct wire_status *status); /* zeroed when there is none */
void engine_print_status(const struct wire_status *s); /* nothing when there is none */
void shape_engine(struct json *j, const struct wire_status *s);

#endif
