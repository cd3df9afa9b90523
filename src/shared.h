// SPDX-License-Identifier: PostgreSQL
/* Making the objects that are shared by reference; holding and releasing them is in the contract. */
#ifndef SHARED_H
#define SHARED_H

#include <pgpier/catalog.h>
#include <pgpier/preflight.h>

struct catalog *catalog_new(void); /* empty, one holder: fill it before anyone else sees it */
struct preflight *preflight_new(void);

#endif
