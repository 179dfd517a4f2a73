# Counts the bubbles of a foam: smooth, threshold, shrink until neighbours separate, label.

from cairn import *

volume = "demo-out/foam.npy"
sigma = (3, 6, 6)    # voxels along z, y, x
threshold = 0.9
radius = 12          # voxels; what is thinner than 2 x radius disappears

foam = read(volume) / 255
smooth = gaussian_filter(1 - foam, sigma=sigma)
cores = binary_erosion(smooth > threshold, ball(radius))
bubbles = label(cores)

print("bubbles", max(bubbles))
