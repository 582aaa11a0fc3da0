SELECT f.tailnum, COUNT(*) AS flights
FROM flights_flight f
LEFT JOIN flights_plane p ON p.tailnum = f.tailnum
WHERE f.tailnum IS NOT NULL AND p.tailnum IS NULL
GROUP BY f.tailnum
ORDER BY flights DESC, f.tailnum
