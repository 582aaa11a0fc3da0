SELECT f.tailnum, f.time_hour, f.dest, f.dep_delay,
       p.time_hour AS previous_hour, p.dest AS previous_dest,
       p.arr_delay AS previous_delay
FROM flights_flight f
JOIN (
    SELECT id,
           LAG(id) OVER (PARTITION BY tailnum ORDER BY time_hour, minute, id)
               AS previous_id
    FROM flights_flight
    WHERE tailnum IS NOT NULL
) c ON c.id = f.id
LEFT JOIN flights_flight p ON p.id = c.previous_id
ORDER BY f.tailnum, f.time_hour, f.minute, f.id
