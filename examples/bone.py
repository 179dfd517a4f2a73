# Lacunae (small holes) of a cortical bone volume: found, cleaned, labelled, measured.
#
#   cairn run examples/bone.py --set volume=data/bone_7H6A_B2.tif --set sample=7H6A

from cairn import *

volume = "data/bone_7H3A_B1.tif"
sample = "7H3A"
out = "demo-out/"
smallest = 200       # voxels; smaller holes are noise of the scan and thin channels
largest = 50000      # voxels; larger holes are blood vessels, the marrow and the outside

bone = read(volume)
holes = label(bone == 0)
vessels = remove_small_objects(holes, largest + 1)
lacunae = where(vessels > 0, 0, remove_small_objects(holes, smallest))

write(lacunae, out + "lacunae_" + sample + ".zarr", chunks=(64, 128, 128))
write(regionprops(lacunae), out + "demo.db", table="lacunae",
	constants=(("sample", sample),), append=True)
