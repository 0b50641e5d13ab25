-- Events, found where several sources show the same at one place and time. A helper: no documents.
WITH
-- Which sign may belong to which kind of event. A car without power may show a dead station or a dead grid.
evidence AS (
  SELECT 'storm' AS kind, town AS place, "begin", "end", 'dish' AS witness, device, what FROM sign WHERE what IN ('loss', 'drops')
  UNION ALL SELECT 'storm', town, "begin", "end", 'car', device, what FROM sign WHERE what = 'warns'
  UNION ALL SELECT 'power-cut', town, "begin", "end", 'dish', device, what FROM sign WHERE what = 'boot'
  UNION ALL SELECT 'power-cut', town, "begin", "end", 'car', device, what FROM sign WHERE what = 'outage'
  UNION ALL SELECT 'charger-fault', town, "begin", "end", 'car', device, what FROM sign WHERE what = 'fault'
  UNION ALL SELECT 'festival', town, "begin", "end", 'dish', device, what FROM sign WHERE what = 'slow'
  UNION ALL SELECT 'festival', town, "begin", "end", 'car', device, what FROM sign WHERE what = 'crawls'
  UNION ALL SELECT 'road-closure', road, "begin", "end", 'car', device, what FROM sign WHERE what = 'stands'
  UNION ALL SELECT kind, coalesce(road, town), time, time, 'post', author, 'post' FROM story
    WHERE type = 'post' AND kind IN ('storm', 'power-cut', 'charger-fault', 'festival') OR type = 'post' AND kind = 'road-closure' AND road IS NOT NULL
  UNION ALL SELECT kind, coalesce(road, town), "begin", "end", 'article', NULL, 'article' FROM story
    WHERE source IN ('articles', 'feeds') AND "begin" IS NOT NULL AND kind NOT IN ('satellite-failure', 'firmware-update')
),
-- What lies less than 50 minutes apart is one.
ordered AS (
  SELECT *, CASE WHEN "begin" - max("end") OVER (PARTITION BY kind, place ORDER BY "begin", "end", device, what
                                                ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) <= INTERVAL 50 MINUTE THEN 0 ELSE 1 END AS first
  FROM evidence WHERE place IS NOT NULL
),
islands AS (
  SELECT *, sum(first) OVER (PARTITION BY kind, place ORDER BY "begin", "end", device, what ROWS UNBOUNDED PRECEDING) AS island FROM ordered
),
local AS (
  SELECT kind, place, island, min("begin") AS "begin", max("end") AS "end",
         count(DISTINCT device) FILTER (witness = 'dish') AS dishes, count(DISTINCT device) FILTER (witness = 'car') AS cars,
         count(DISTINCT device) FILTER (witness = 'post') AS people, count(*) FILTER (witness = 'article') AS articles
  FROM islands GROUP BY kind, place, island
),
-- A rumour is told by people alone. What happened has left a trace in devices, or was reported on; of roads and charging
-- stations, where no car need have been, it is enough that many tell it.
believed AS (
  SELECT * FROM local
  WHERE CASE WHEN people = 0 AND articles = 0 THEN false
             ELSE (dishes >= 2)::INT + (cars >= 1)::INT + (articles >= 1)::INT + (people >= 1)::INT >= 2
                  OR people >= 7 AND kind IN ('road-closure', 'charger-fault') END
),
-- Events of a region: all at one instant, or one boot after another into new software.
regional_signs AS (
  SELECT *, CASE WHEN what = 'failure' THEN 'satellite-failure' ELSE 'firmware-update' END AS kind,
         CASE WHEN what = 'failure' THEN INTERVAL 1 SECOND ELSE INTERVAL 40 MINUTE END AS gap
  FROM (SELECT DISTINCT what, device, town, start, "begin", "end" FROM sign WHERE what IN ('failure', 'renewed'))
),
regional_ordered AS (
  SELECT *, CASE WHEN "begin" - lag("begin") OVER (PARTITION BY kind ORDER BY "begin", device) <= gap THEN 0 ELSE 1 END AS first FROM regional_signs
),
regional_islands AS (
  SELECT *, sum(first) OVER (PARTITION BY kind ORDER BY "begin", device ROWS UNBOUNDED PRECEDING) AS island FROM regional_ordered
),
regional AS (
  SELECT kind, island, min("begin") AS "begin", max("end") AS "end", list_sort(list(DISTINCT town)) AS towns, count(DISTINCT device) AS dishes
  FROM regional_islands GROUP BY kind, island HAVING count(DISTINCT device) >= 3
),
-- The news desk knows the middle of a region; without it, the first town by name stands for all.
centres AS (
  SELECT r.kind, r.island, mode(s.town) AS town
  FROM regional r JOIN story s ON s.kind = r.kind AND s."begin" BETWEEN r."begin" - INTERVAL 10 MINUTE AND r."begin" + INTERVAL 10 MINUTE
                                  AND list_contains(r.towns, s.town)
  GROUP BY ALL
),
believed_all AS (
  SELECT kind, place, [place] AS towns, "begin", "end", dishes, cars, people, articles FROM believed
  UNION ALL
  SELECT kind, coalesce(c.town, towns[1]), CASE WHEN c.town IS NULL THEN towns ELSE list_prepend(c.town, list_filter(towns, t -> t != c.town)) END,
         "begin", "end", dishes, 0, 0, 0
  FROM regional LEFT JOIN centres c USING (kind, island)
),
-- The middle of the places, or of the region where its town is known.
middles AS (
  SELECT e.kind, e.place, e."begin", avg(g.latitude) AS latitude, avg(g.longitude) AS longitude
  FROM (SELECT a.kind, a.place, a."begin", unnest(CASE WHEN c.town IS NULL THEN a.towns ELSE [c.town] END) AS name
        FROM believed_all a LEFT JOIN centres c ON c.kind = a.kind AND c.town = a.place AND len(a.towns) > 1) e
  JOIN gazetteer g USING (name) GROUP BY ALL
)
SELECT NULL::VARCHAR AS text, [] AS parents, 'e' || row_number() OVER (ORDER BY "begin", kind, place) AS event, *
FROM believed_all JOIN middles USING (kind, place, "begin")
