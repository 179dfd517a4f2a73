/* SPDX-License-Identifier: Apache-2.0
 *
 * admission.c -- see admission.h.
 */
#include "exec/admission.h"

#include <assert.h>

static size_t tables_beyond(const crn_admission *a)
{
	return a->tables > a->table_allowance ? a->tables - a->table_allowance : 0;
}

size_t crn_admission_charged(const crn_admission *a, size_t idle_bytes)
{
	return a->standing + a->slots_used + a->reserved + tables_beyond(a) + idle_bytes;
}

static void note_peak(crn_admission *a, size_t idle_bytes)
{
	size_t now = crn_admission_charged(a, idle_bytes);
	a->peak = now > a->peak ? now : a->peak;
}

bool crn_admission_fits(const crn_admission *a, size_t bytes)
{
	size_t held = a->reserved + tables_beyond(a);
	return held <= a->general && bytes <= a->general - held;
}

bool crn_admission_over(const crn_admission *a, size_t idle_bytes, size_t bytes)
{
	return a->reserved + tables_beyond(a) + idle_bytes + bytes > a->general;
}

crn_answer crn_admission_ask(const crn_admission *a, int level, size_t bytes)
{
	if (!a->slot_taken[level + 1])
		return CRN_BY_SLOT;
	return crn_admission_fits(a, bytes) ? CRN_FROM_GENERAL : CRN_REFUSED;
}

crn_grant crn_admission_take(
	crn_admission *a, crn_answer answer, int level, size_t bytes, size_t idle_bytes)
{
	crn_grant g = {.slot = answer == CRN_BY_SLOT, .level = level, .bytes = bytes};
	if (g.slot) {
		assert(!a->slot_taken[level + 1] && bytes <= a->slot_bytes[level + 1]);
		a->slot_taken[level + 1] = true;
		a->slots_used += a->slot_bytes[level + 1];
	} else {
		assert(!crn_admission_over(a, idle_bytes, bytes));
		a->reserved += bytes;
	}
	note_peak(a, idle_bytes);
	return g;
}

void crn_admission_release(crn_admission *a, const crn_grant *g)
{
	if (g->slot) {
		assert(a->slot_taken[g->level + 1]);
		a->slot_taken[g->level + 1] = false;
		a->slots_used -= a->slot_bytes[g->level + 1];
	} else {
		assert(a->reserved >= g->bytes);
		a->reserved -= g->bytes;
	}
}

size_t crn_admission_table_part(const crn_admission *a, size_t n)
{
	size_t room = a->table_allowance > a->tables ? a->table_allowance - a->tables : 0;
	return n > room ? n - room : 0;
}

void crn_admission_grow_tables(crn_admission *a, size_t n, size_t idle_bytes)
{
	a->tables += n;
	note_peak(a, idle_bytes);
}

void crn_admission_shrink_tables(crn_admission *a, size_t n)
{
	assert(a->tables >= n);
	a->tables -= n;
}
