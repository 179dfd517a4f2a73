/* SPDX-License-Identifier: Apache-2.0
 *
 * profile_html.c -- the profile page: profile_page.html with the run's JSON and its plan's SVG put
 * in the places the page marks.
 *
 * Names come from the user, so nothing of them reaches the page as markup: in the JSON every '<' is
 * written as an escape (no "</script>" can end it), the page's script shows texts as texts only,
 * and the SVG escapes its own.
 */
#include "exec/profile.h"

#include "plan/dump.h"

#include <string.h>

/* The bytes of profile_page.html, made by the build. */
extern const char crn_profile_page[];

static void append_json(const crn_str *json, crn_str *out)
{
	const char *at = json->data, *end = json->data + json->len;
	while (at < end) {
		const char *less = memchr(at, '<', (size_t)(end - at));
		crn_str_append_n(out, at, (size_t)((less ? less : end) - at));
		if (!less)
			return;
		crn_str_append(out, "\\u003c");
		at = less + 1;
	}
}

void crn_profile_html(const crn_profile *p, crn_str *out)
{
	static const char data_mark[] = "@CAIRN_DATA@", graph_mark[] = "@CAIRN_GRAPH@";
	const char *data = strstr(crn_profile_page, data_mark);
	const char *graph = strstr(crn_profile_page, graph_mark);
	CRN_STR json = {0};
	crn_profile_json(p, true, &json);
	if (!data || !graph || data < graph || json.oom) {
		out->oom = true;
		return;
	}
	crn_str_append_n(out, crn_profile_page, (size_t)(graph - crn_profile_page));
	crn_dump_svg(p->st->plan, out);
	graph += sizeof(graph_mark) - 1;
	crn_str_append_n(out, graph, (size_t)(data - graph));
	append_json(&json, out);
	crn_str_append(out, data + sizeof(data_mark) - 1);
}
