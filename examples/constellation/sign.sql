-- What devices show: lost links, boots, slow answers, cars that stand or cannot charge. A helper: no documents.
WITH
-- An outage that went on while it was polled is there in several lengths.
outages AS (
  SELECT id, source, author AS device, time AS "begin", fields['startTimestampNs'] AS start, fields['cause'] AS cause,
         max(time + to_microseconds((channels['duration'] * 1e6)::BIGINT)) OVER (PARTITION BY author, fields['startTimestampNs']) AS "end"
  FROM dishes WHERE kind = 'dish-outage'
),
statuses AS (
  SELECT s.id, s.source, s.author AS device, s.time - d.skew AS time, d.town, fields['deviceInfo.softwareVersion'] AS version,
         fields['outage.startTimestampNs'] AS start, channels['popPingDropRate'] AS dropped, channels['popPingLatencyMs'] AS latency
  FROM dishes s JOIN dish d ON d.dish = s.author WHERE kind = 'dish-status'
),
boots AS (
  SELECT DISTINCT device, "begin", "end", start FROM outages WHERE cause = 'BOOTING'
),
versions AS (
  SELECT b.device, b.start, before.version IS NOT NULL AND after.version IS NOT NULL AND before.version != after.version AS renewed
  FROM boots b
  ASOF LEFT JOIN statuses before ON before.device = b.device AND before.time < b."begin"
  ASOF LEFT JOIN statuses after ON after.device = b.device AND after.time >= b."end"
),
-- A satellite that fails takes the link from dishes in several towns within the same second.
losses AS (
  SELECT DISTINCT o.device, o.start, o."begin", o."end", d.town
  FROM outages o JOIN dish d ON d.dish = o.device
  WHERE cause NOT IN ('BOOTING', 'OBSTRUCTED') AND o."end" - o."begin" >= INTERVAL 20 SECOND
),
ordered AS (
  SELECT *, CASE WHEN "begin" - lag("begin") OVER (ORDER BY "begin", device) <= INTERVAL 1 SECOND THEN 0 ELSE 1 END AS first FROM losses
),
instants AS (SELECT *, sum(first) OVER (ORDER BY "begin", device ROWS UNBOUNDED PRECEDING) AS instant FROM ordered),
failures AS (
  SELECT instant FROM instants GROUP BY instant HAVING count(DISTINCT town) >= 2 AND count(DISTINCT device) >= 3
),
dish_signs AS (
  SELECT o.id, o.source, o.device,
         CASE WHEN o.cause = 'BOOTING' THEN CASE WHEN v.renewed THEN 'renewed' ELSE 'boot' END
              WHEN f.instant IS NOT NULL THEN 'failure'
              WHEN o.cause = 'OBSTRUCTED' THEN 'blip'
              WHEN o."end" - o."begin" < INTERVAL 7 SECOND THEN 'blip' ELSE 'loss' END AS what,
         d.town, NULL::VARCHAR AS road, o."begin", o."end", o.start, epoch_us(o."end" - o."begin") / 1e6 AS value
  FROM outages o JOIN dish d ON d.dish = o.device
  LEFT JOIN versions v ON v.device = o.device AND v.start = o.start
  LEFT JOIN instants i ON i.device = o.device AND i.start = o.start
  LEFT JOIN failures f ON f.instant = i.instant
  UNION ALL
  SELECT id, source, device, CASE WHEN start IS NOT NULL THEN 'down' WHEN dropped >= 0.25 THEN 'drops' ELSE 'slow' END, town, NULL,
         time, time, start, CASE WHEN start IS NOT NULL OR dropped >= 0.25 THEN 100 * dropped ELSE latency END
  FROM statuses WHERE start IS NOT NULL OR dropped >= 0.25 OR latency >= 115
),
cars AS (
  SELECT id, source, author AS device, time, latitude, longitude, channels['VehicleSpeed'] AS speed,
         fields['Gear'] = 'ShiftStateD' AS drives, fields['DetailedChargeState'] = 'DetailedChargeStateNoPower' AS unpowered
  FROM vehicles WHERE kind = 'telemetry'
  UNION ALL
  SELECT id, source, author, time, latitude, longitude, channels['speed'], fields['shift_state'] = 'D', fields['charging_state'] = 'NoPower'
  FROM teslafi
),
-- Runs of slow minutes of a car that drives.
steps AS (
  SELECT *, coalesce(drives AND speed < 8, false) AS crawls,
         row_number() OVER (PARTITION BY device ORDER BY time, id)
         - row_number() OVER (PARTITION BY device, coalesce(drives AND speed < 8, false) ORDER BY time, id) AS run
  FROM cars
),
moved AS (
  SELECT *, sqrt(((latitude - lag(latitude) OVER w) * 111) ** 2 + ((longitude - lag(longitude) OVER w) * 101) ** 2) AS km
  FROM steps WHERE crawls WINDOW w AS (PARTITION BY device, run ORDER BY time, id)
),
runs AS (
  SELECT device, run, min(time) AS "begin", max(time) AS "end", avg(latitude) AS latitude, avg(longitude) AS longitude,
         -- A jam moves on a line, at a few metres a second; who looks for a way through a festival turns here and there.
         median(km) < 0.25 AS stands
  FROM moved GROUP BY device, run HAVING count(*) >= 2
),
-- The roads on which a run may be: less than a kilometre off the line between its towns.
lines AS (
  SELECT name, from_latitude AS y, from_longitude AS x, (to_latitude - from_latitude) * 111 AS dy, (to_longitude - from_longitude) * 101 AS dx,
         least(from_latitude, to_latitude) - 0.01 AS south, greatest(from_latitude, to_latitude) + 0.01 AS north,
         least(from_longitude, to_longitude) - 0.01 AS west, greatest(from_longitude, to_longitude) + 0.01 AS east
  FROM gazetteer WHERE kind = 'road'
),
on_roads AS (
  SELECT r.device, r.run, l.name AS road
  FROM runs r JOIN lines l ON r.latitude BETWEEN l.south AND l.north AND r.longitude BETWEEN l.west AND l.east
  WHERE r.stands AND abs((r.latitude - l.y) * 111 * l.dx - (r.longitude - l.x) * 101 * l.dy) / sqrt(l.dx * l.dx + l.dy * l.dy) < 0.8
),
placed AS (
  SELECT c.id, arg_min(g.name, (g.latitude - c.latitude) ** 2 + 0.83 * (g.longitude - c.longitude) ** 2) AS town
  FROM steps c JOIN gazetteer g ON g.kind = 'town' AND abs(g.latitude - c.latitude) < 0.06 AND abs(g.longitude - c.longitude) < 0.07
  WHERE c.crawls OR c.unpowered
  GROUP BY c.id
),
car_signs AS (
  SELECT c.id, c.source, c.device, 'unpowered' AS what, p.town, NULL AS road, c.time AS "begin", c.time AS "end", NULL AS start, 0 AS value
  FROM cars c JOIN placed p USING (id) WHERE c.unpowered
  UNION ALL
  SELECT s.id, s.source, s.device, 'stands', NULL, o.road, s.time, s.time, NULL, s.speed * 1.609344
  FROM steps s JOIN on_roads o USING (device, run) WHERE s.crawls
  UNION ALL
  SELECT s.id, s.source, s.device, 'crawls', p.town, NULL, s.time, s.time, NULL, s.speed * 1.609344
  FROM steps s JOIN runs r USING (device, run) JOIN placed p USING (id) WHERE s.crawls AND NOT r.stands
),
-- An alert says nothing of the place: the car's telemetry does.
alerts AS (
  SELECT a.id, a.source, a.author AS device, a.time, c.latitude, c.longitude,
         CASE fields['name'] WHEN 'APP_w224_visibilityReduced' THEN 'warns' WHEN 'CP_a066_evseFault' THEN 'fault' WHEN 'CP_a054_acVoltageLost' THEN 'outage' END AS what
  FROM (SELECT * FROM vehicles WHERE kind = 'alert') a ASOF JOIN cars c ON c.device = a.author AND a.time >= c.time
),
alert_signs AS (
  SELECT a.id, any_value(a.source), any_value(a.device), any_value(a.what),
         arg_min(g.name, (g.latitude - a.latitude) ** 2 + 0.83 * (g.longitude - a.longitude) ** 2), NULL, any_value(a.time), any_value(a.time), NULL, 0
  FROM alerts a JOIN gazetteer g ON g.kind = 'town' AND abs(g.latitude - a.latitude) < 0.06 AND abs(g.longitude - a.longitude) < 0.07
  WHERE a.what IS NOT NULL
  GROUP BY a.id
)
SELECT NULL::VARCHAR AS text, id AS parent, *
FROM (FROM dish_signs UNION ALL FROM car_signs UNION ALL FROM alert_signs)
