-- Each dish: its town, and how far its poller's clock is off. A helper: no documents.
--
-- A dish counts one sample a second since it booted, and says when it booted by GPS. So each sample has a true time, and
-- the poller's clock differs from it by what the poller is off (plus a second of rounding, and the way of the answer).
WITH located AS (
  SELECT author AS dish, any_value(id ORDER BY time) AS record, avg(latitude) AS latitude, avg(longitude) AS longitude
  FROM dishes WHERE kind = 'dish-location' GROUP BY author
),
boots AS (
  SELECT DISTINCT author AS dish, time AS booted FROM dishes WHERE kind = 'dish-outage' AND fields['cause'] = 'BOOTING'
),
samples AS (
  SELECT author AS dish, time, fields['sample']::BIGINT AS number FROM dishes WHERE kind = 'dish-sample'
),
skews AS (
  SELECT s.dish, median(epoch_us(s.time) - (s.number + 1) * 1000000 - epoch_us(b.booted)) - 500000 AS skew
  FROM samples s ASOF JOIN boots b ON s.dish = b.dish AND s.time >= b.booted
  GROUP BY s.dish
),
near AS (
  SELECT l.dish, arg_min(g.name, (g.latitude - l.latitude) ** 2 + 0.83 * (g.longitude - l.longitude) ** 2) AS town
  FROM located l
  JOIN gazetteer g ON g.kind = 'town' AND abs(g.latitude - l.latitude) < 0.15 AND abs(g.longitude - l.longitude) < 0.17
  GROUP BY l.dish
)
SELECT NULL::VARCHAR AS text, l.record AS parent, l.dish, n.town, l.latitude, l.longitude,
       to_microseconds(coalesce(s.skew, 0)::BIGINT) AS skew
FROM located l JOIN near n USING (dish) LEFT JOIN skews s USING (dish)
