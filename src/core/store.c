/* SPDX-License-Identifier: Apache-2.0
 *
 * store.c -- choosing a store, checking keys, and loading whole small objects.
 */
#include "core/store.h"

#include "base/mem.h"

#include <string.h>

static bool has_scheme(const char *url, const char *scheme)
{
	return *scheme ? strncmp(url, scheme, strlen(scheme)) == 0 : strstr(url, "://") == NULL;
}

cairn_status crn_store_open(
	const crn_registry *r, const char *url, crn_store **ret, cairn_error *err)
{
	CRN_STR known = {0};
	for (const crn_store_kind *const *kind = r->stores; *kind; kind++)
		for (const char *const *scheme = (*kind)->schemes; *scheme; scheme++) {
			if (has_scheme(url, *scheme))
				return (*kind)->open(url, ret, err);
			crn_str_appendf(&known, "%s%s", known.len ? ", " : "",
				**scheme ? *scheme : "a path");
		}
	cairn_status status = crn_fail(err, CAIRN_USAGE, "%s: no store for this scheme", url);
	crn_hint(err, "known: %s", known.data ? known.data : "none");
	return status;
}

void crn_store_close(crn_store *s)
{
	if (s)
		s->ops->close(s);
}

bool crn_key_valid(const char *key)
{
	for (;;) {
		const char *slash = strchrnul(key, '/');
		size_t n = (size_t)(slash - key);
		if (n == 0 || n > 255 || (n <= 2 && strncmp(key, "..", n) == 0) ||
			memchr(key, '\\', n) || (n >= 5 && strncmp(key, ".crn-", 5) == 0))
			return false;
		if (*slash == '\0')
			return true;
		key = slash + 1;
	}
}

cairn_status crn_store_load(
	crn_store *s, const char *key, size_t max, char **ret, size_t *ret_n, cairn_error *err)
{
	crn_stat st;
	bool found;
	*ret = NULL;
	CRN_TRY(s->ops->stat(s, key, &st, &found, err));
	if (!found)
		return CAIRN_OK;
	if (st.size_bytes > max)
		return crn_fail(err, CAIRN_INPUT, "%s/%s has %llu bytes, the limit is %zu", s->root,
			key, (unsigned long long)st.size_bytes, max);
	size_t size = (size_t)st.size_bytes, n;
	CRN_FREE char *text = crn_alloc(size + 1);
	if (!text)
		return crn_fail_memory(err, key, size);
	crn_range all = {.kind = CRN_RANGE_ALL};
	CRN_TRY(s->ops->get(s, key, &all, text, size, &n, &found, err));
	if (!found)
		return CAIRN_OK;
	text[n] = '\0';
	*ret = crn_steal(&text);
	*ret_n = n;
	return CAIRN_OK;
}

cairn_status crn_store_exists(crn_store *s, const char *key, bool *ret_found, cairn_error *err)
{
	crn_stat st;
	return s->ops->stat(s, key, &st, ret_found, err);
}
