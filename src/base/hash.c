/* SPDX-License-Identifier: Apache-2.0
 *
 * hash.c -- content hashes on xxHash (header-only build, so no library is linked for it).
 */
#include "base/hash.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <stdio.h>
#include <string.h>

_Static_assert(sizeof(XXH3_state_t) <= sizeof(crn_hasher), "crn_hasher holds the xxHash state");
_Static_assert(_Alignof(crn_hasher) >= _Alignof(XXH3_state_t), "aligned like the xxHash state");

void crn_hasher_init(crn_hasher *h)
{
	XXH3_state_t *state = (XXH3_state_t *)h->opaque;
	XXH3_INITSTATE(state);
	XXH3_128bits_reset(state);
}

void crn_hash_bytes(crn_hasher *h, const void *bytes, size_t n)
{
	XXH3_128bits_update((XXH3_state_t *)h->opaque, bytes, n);
}

void crn_hash_u64(crn_hasher *h, uint64_t v)
{
	unsigned char bytes[8];
	for (int i = 0; i < 8; i++)
		bytes[i] = (unsigned char)(v >> (8 * i));
	crn_hash_bytes(h, bytes, 8);
}

void crn_hash_text(crn_hasher *h, const char *text)
{
	size_t n = strlen(text);
	crn_hash_u64(h, n);
	crn_hash_bytes(h, text, n);
}

crn_hash crn_hasher_result(const crn_hasher *h)
{
	XXH128_hash_t r = XXH3_128bits_digest((const XXH3_state_t *)h->opaque);
	return (crn_hash){.hi = r.high64, .lo = r.low64};
}

uint64_t crn_checksum(const void *bytes, size_t n)
{
	return XXH3_64bits(bytes, n);
}

char *crn_hash_hex(crn_hash h, char text[33])
{
	snprintf(text, 33, "%016llx%016llx", (unsigned long long)h.hi, (unsigned long long)h.lo);
	return text;
}
