SELECT a.name AS airline, COUNT(*) AS flights, AVG(f.dep_delay) AS delay,
       AVG(f.dep_delay - h.mean) AS excess
FROM flights_flight f
LEFT JOIN (
    SELECT origin, time_hour, AVG(dep_delay) AS mean
    FROM flights_flight
    GROUP BY origin, time_hour
) h ON h.origin = f.origin AND h.time_hour = f.time_hour
LEFT JOIN flights_airline a ON a.carrier = f.carrier
GROUP BY a.name
ORDER BY excess DESC
