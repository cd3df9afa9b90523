// SPDX-License-Identifier: PostgreSQL
/* What is known of a mirror's verification. */
#include "inside.h"

void model_verify_set(struct model *m, const char *mirror, const struct verify_view *v)
{
	model_lock(m);
	struct mirror_entry *r = mirror_find(m, mirror);
	if (r)
		r->verify = *v;
	model_unlock_changed(m);
}

void model_verified(struct model *m, const char *mirror, const struct verification *v)
{
	const struct verification *old = NULL;
	model_lock(m);
	struct mirror_entry *r = mirror_find(m, mirror);
	if (r) {
		old = r->verification;
		r->verification = verification_hold(v);
	}
	model_unlock_changed(m);
	verification_release(old);
}

bool model_verify(struct model *m, const char *mirror, struct verify_view *out)
{
	model_lock(m);
	const struct mirror_entry *r = mirror_find(m, mirror);
	*out = r ? r->verify : (struct verify_view){ 0 };
	model_unlock(m);
	return r && out->started_at != 0;
}

const struct verification *model_verification(struct model *m, const char *mirror)
{
	model_lock(m);
	const struct mirror_entry *r = mirror_find(m, mirror);
	const struct verification *v = r && r->verification ? verification_hold(r->verification) : NULL;
	model_unlock(m);
	return v;
}
