// SPDX-License-Identifier: PostgreSQL
/* Making a result; holding and releasing it is in the contract. */
#ifndef VERIFY_VERIFICATION_H
#define VERIFY_VERIFICATION_H

#include <pgpier/verify.h>

struct verification *verification_new(void); /* empty, one holder */

#endif
