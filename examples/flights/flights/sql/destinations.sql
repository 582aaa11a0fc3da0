SELECT a.faa, a.name, r.flights, r.delay, s.planes, s.seats
FROM flights_airport a
JOIN (
    SELECT dest, COUNT(*) AS flights, AVG(arr_delay) AS delay
    FROM flights_flight
    GROUP BY dest
) r ON r.dest = a.faa
LEFT JOIN (
    SELECT f.dest, COUNT(DISTINCT p.tailnum) AS planes, AVG(p.seats) AS seats
    FROM flights_flight f
    JOIN flights_plane p ON p.tailnum = f.tailnum
    GROUP BY f.dest
) s ON s.dest = a.faa
ORDER BY r.flights DESC, a.faa
