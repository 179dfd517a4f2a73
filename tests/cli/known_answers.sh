#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# known_answers.sh -- the holes of a real bone volume against scipy: how many labels, the largest object
# and the total area at each connectivity, from a TIFF, with a small and a large budget. scipy computes
# its answers here when it is installed; else those of scipy 1.10.1, noted below, are used.
. "$(dirname "$0")/lib.sh"

volume=$(realpath "$HERE/../../data/bone_7H3A_B1.tif")
scipy_answers() {
	$PYTHON - "$volume" <<'EOF' 2>/dev/null
import sys
import numpy, scipy.ndimage, tifffile
holes = tifffile.imread(sys.argv[1]) == 0
for connectivity in (1, 2, 3):
    structure = scipy.ndimage.generate_binary_structure(3, connectivity)
    labels, n = scipy.ndimage.label(holes, structure)
    areas = numpy.bincount(labels.ravel())[1:]
    print(connectivity, n, areas.max(), areas.sum())
EOF
}
if answers=$(scipy_answers); then
	echo "answers by the installed scipy"
else
	echo "skipped: scipy or tifffile is not installed; answers noted from scipy 1.10.1"
	answers="1 13127 583729 2565802
2 12576 583731 2565802
3 12487 583731 2565802"
fi

echo "$answers" >answers
while read -r connectivity n largest total; do
	for memory in 64M 4G; do
		gives 0 run -q --on-exists replace --memory $memory -e "
holes = label(read('$volume') == 0, connectivity=$connectivity)
write(regionprops(holes), 'holes.csv')
print('labels', max(holes))
print('total', sum(holes > 0))"
		prints "labels $n"
		prints "total $total"
		check "rows at connectivity $connectivity" \
			test "$(($(wc -l <holes.csv) - 1))" = "$n"
		check "largest at connectivity $connectivity" \
			test "$(tail -n +2 holes.csv | cut -d, -f2 | sort -n | tail -n 1)" = "$largest"
		check "areas at connectivity $connectivity" \
			test "$(tail -n +2 holes.csv | cut -d, -f2 | awk "{ s += \$1 } END { printf \"%d\", s }")" = "$total"
	done
done <answers

finish
