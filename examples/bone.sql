-- The lecture's questions, asked of the table that bone.py filled (lacunae), joined with samples and mice.
.mode column
.headers on

.print 'Lacunae of each sample: how many, and their volume in voxels'
SELECT sample, count(*) AS lacunae, round(avg(area), 1) AS mean_volume,
	min(area) AS smallest, max(area) AS largest
FROM lacunae GROUP BY sample ORDER BY sample;

.print ''
.print 'Average volume by group (groups and weights are made up for the demo)'
SELECT samples."group", round(avg(area), 1) AS mean_volume, count(*) AS lacunae
FROM lacunae JOIN samples ON samples.sample = lacunae.sample
GROUP BY samples."group" ORDER BY 1;

.print ''
.print 'Largest lacunae of animals above 30 g, with the bone density of that mouse'
SELECT samples.animal, samples.weight_g, mice.BMD, lacunae.label, lacunae.area
FROM lacunae
	JOIN samples ON samples.sample = lacunae.sample
	JOIN mice ON mice.ID = samples.animal
WHERE samples.weight_g + 0 > 30
ORDER BY lacunae.area DESC, lacunae.label LIMIT 5;
