SELECT f.carrier, f.flight, f.origin, f.time_hour, f.dep_delay,
       w.precip, w.wind_speed, w.visib
FROM flights_flight f
LEFT JOIN flights_weather w
       ON w.origin = f.origin AND w.time_hour = f.time_hour
ORDER BY CASE WHEN w.precip IS NULL THEN 1 ELSE 0 END, w.precip DESC, f.id
