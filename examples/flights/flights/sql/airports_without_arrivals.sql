SELECT a.faa, a.name, a.tzone
FROM flights_airport a
WHERE NOT EXISTS (SELECT 1 FROM flights_flight f WHERE f.dest = a.faa)
ORDER BY a.faa
