// SPDX-License-Identifier: PostgreSQL
/* What providers put into everybody's database, and where extensions come from. Pure. */
#ifndef SCHEMA_PROFILE_H
#define SCHEMA_PROFILE_H

#include <pgpier/base.h>

/* profile: as provider_profile() says, NULL for a server of one's own. */
const char *profile_title(const char *profile); /* "Amazon RDS" */
bool profile_has_schema(const char *profile, const char *schema);
bool profile_has_extension(const char *profile, const char *extension);
bool profile_has_role(const char *profile, const char *role);
/* What to install for it, in words. Caller frees. */
char *extension_package(const char *extension);

#endif
