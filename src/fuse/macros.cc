#include "fuse/functions.h"

namespace rhodes {
namespace {

// Macros are expanded where they are called, so the names in them must be none of a user's columns or tables:
// everything inside begins with rhodes_. Whatever could come in another order is sorted by time and then id.

// Microseconds of a time; NULL at infinity.
constexpr const char* kTimeUs = R"(
CREATE TEMP MACRO time_us(moment) AS CASE WHEN isfinite(CAST(moment AS TIMESTAMP)) THEN
  epoch_us(CAST(moment AS TIMESTAMP)) END)";

constexpr const char* kHashtags = R"(
CREATE TEMP MACRO hashtags(post) AS
  list_sort(list_distinct(regexp_extract_all(lower(post), '#([\p{L}\p{M}\p{N}_]+)', 1))))";

// ASOF JOIN takes any of the rows with the same key and time, so it is given one for each: that with the smallest id.
// {key}: the column called rhodes_key; {group}: its name; {on}: the equality of both sides. Looking the row up by its
// id behind the join, which keeps wide columns out of the sort, took twice the time for 10 million rows on the left.
constexpr const char* kNearestSide = R"((
  WITH rhodes_right AS (SELECT *{key}, time_us(time) AS rhodes_time FROM query_table(right_table) WHERE id IN (
      SELECT min(id) FROM (SELECT id{key}, time_us(time) AS rhodes_time FROM query_table(right_table))
      WHERE rhodes_time IS NOT NULL GROUP BY {group}rhodes_time)),
    rhodes_left AS (SELECT *{key}, time_us(time) AS rhodes_time FROM query_table(left_table))
  SELECT rhodes_l.* EXCLUDE (rhodes_time{exclude}),
    CASE WHEN abs(rhodes_l.rhodes_time - rhodes_r.rhodes_time) <= epoch_us(within) THEN
      COLUMNS(rhodes_r.* EXCLUDE (rhodes_time{exclude})) END AS 'near_\0',
    CASE WHEN abs(rhodes_l.rhodes_time - rhodes_r.rhodes_time) <= epoch_us(within) THEN
      (rhodes_l.rhodes_time - rhodes_r.rhodes_time) / 1e6 END AS seconds
  FROM rhodes_left rhodes_l
  ASOF LEFT JOIN rhodes_right rhodes_r ON {on}rhodes_l.rhodes_time {order} rhodes_r.rhodes_time))";

// The nearer of two partners is known behind both joins only, so they find its id, by which it is looked up.
constexpr const char* kNearestBoth = R"((
  WITH rhodes_times AS MATERIALIZED (SELECT time_us(time) AS rhodes_time, min(id) AS rhodes_id{key}
      FROM query_table(right_table) WHERE time_us(time) IS NOT NULL GROUP BY ALL),
    rhodes_left AS (SELECT *{key}, time_us(time) AS rhodes_time FROM query_table(left_table))
  SELECT rhodes_l.* EXCLUDE (rhodes_time{exclude}), COLUMNS(rhodes_r.*) AS 'near_\0',
    (rhodes_l.rhodes_time - time_us(rhodes_r.time)) / 1e6 AS seconds
  FROM rhodes_left rhodes_l
  ASOF LEFT JOIN rhodes_times rhodes_n ON {on_before}rhodes_l.rhodes_time >= rhodes_n.rhodes_time
  ASOF LEFT JOIN rhodes_times rhodes_m ON {on_after}rhodes_l.rhodes_time <= rhodes_m.rhodes_time
  LEFT JOIN query_table(right_table) rhodes_r ON rhodes_r.id = CASE
    WHEN rhodes_l.rhodes_time - rhodes_n.rhodes_time <= least(epoch_us(within),
      coalesce(rhodes_m.rhodes_time - rhodes_l.rhodes_time, epoch_us(within))) THEN rhodes_n.rhodes_id
    WHEN rhodes_m.rhodes_time - rhodes_l.rhodes_time <= epoch_us(within) THEN rhodes_m.rhodes_id END))";

std::string NearestBody(const char* body, const char* order, bool keyed) {
  return fmt::format(fmt::runtime(body), fmt::arg("order", order),
                     fmt::arg("key", keyed ? ", COLUMNS(rhodes_c -> rhodes_c = key_column) AS rhodes_key" : ""),
                     fmt::arg("group", keyed ? "rhodes_key, " : ""), fmt::arg("exclude", keyed ? ", rhodes_key" : ""),
                     fmt::arg("on", keyed ? "rhodes_l.rhodes_key = rhodes_r.rhodes_key AND " : ""),
                     fmt::arg("on_before", keyed ? "rhodes_l.rhodes_key = rhodes_n.rhodes_key AND " : ""),
                     fmt::arg("on_after", keyed ? "rhodes_l.rhodes_key = rhodes_m.rhodes_key AND " : ""));
}

std::string NearestMacro(const char* name, const char* body, const char* order) {
  return fmt::format(
      "CREATE TEMP MACRO {}(left_table, right_table, within) AS TABLE {}, (left_table, right_table, within, "
      "key_column) AS TABLE {}",
      name, NearestBody(body, order, false), NearestBody(body, order, true));
}

// The right side stands in all cells near to it, the left side in one, so each pair meets once at most. Only what is
// compared goes through the join of the cells.
constexpr const char* kWithinDistance = R"(
CREATE TEMP MACRO within_distance(left_table, right_table, most_metres, within) AS TABLE (
  WITH rhodes_near AS (SELECT id AS rhodes_id, time_us(time) AS rhodes_time, latitude AS rhodes_latitude,
      longitude AS rhodes_longitude, unnest(near_cells(time_us(time), latitude, longitude, CAST(most_metres AS DOUBLE),
      epoch_us(within))) AS rhodes_cell FROM query_table(right_table)),
    rhodes_left AS (SELECT *, time_us(time) AS rhodes_time, near_cell(time_us(time), latitude, longitude,
      CAST(most_metres AS DOUBLE), epoch_us(within)) AS rhodes_cell FROM query_table(left_table)),
    rhodes_pairs AS (SELECT rhodes_l.* EXCLUDE (rhodes_cell), rhodes_n.rhodes_id,
      rhodes_n.rhodes_time AS rhodes_near_time,
      distance_m(rhodes_l.latitude, rhodes_l.longitude, rhodes_latitude, rhodes_longitude) AS rhodes_metres
      FROM rhodes_left rhodes_l JOIN rhodes_near rhodes_n ON rhodes_l.rhodes_cell = rhodes_n.rhodes_cell
      WHERE abs(rhodes_l.rhodes_time - rhodes_n.rhodes_time) <= epoch_us(within) AND rhodes_l.id <> rhodes_n.rhodes_id
      AND distance_m(rhodes_l.latitude, rhodes_l.longitude, rhodes_latitude, rhodes_longitude) <= most_metres)
  SELECT rhodes_p.* EXCLUDE (rhodes_time, rhodes_id, rhodes_near_time, rhodes_metres),
    COLUMNS(rhodes_r.*) AS 'near_\0', (rhodes_p.rhodes_time - rhodes_p.rhodes_near_time) / 1e6 AS seconds,
    rhodes_p.rhodes_metres AS metres
  FROM rhodes_pairs rhodes_p JOIN query_table(right_table) rhodes_r ON rhodes_r.id = rhodes_p.rhodes_id))";

// The values in order of time, once: sums of doubles depend on the order.
constexpr const char* kTelemetryWindows = R"(
CREATE TEMP MACRO telemetry_windows(samples, width) AS TABLE (
  WITH rhodes_values AS (SELECT source AS rhodes_source, author AS rhodes_author, id AS rhodes_id, time AS rhodes_time,
      unnest(map_entries(channels)) AS rhodes_entry FROM query_table(samples) WHERE isfinite(time)),
    rhodes_windows AS (SELECT rhodes_source, rhodes_author, time_bucket(width, rhodes_time) AS rhodes_begin,
      rhodes_entry.key AS rhodes_channel,
      list(rhodes_entry.value ORDER BY rhodes_time, rhodes_id) AS rhodes_list,
      list(rhodes_id ORDER BY rhodes_time, rhodes_id) AS rhodes_ids
      FROM rhodes_values WHERE isfinite(rhodes_entry.value) GROUP BY ALL)
  SELECT rhodes_source AS source, rhodes_author AS author, rhodes_channel AS channel, rhodes_begin AS begin_time,
    rhodes_begin + width AS end_time, len(rhodes_list) AS samples, list_avg(rhodes_list) AS mean,
    list_min(rhodes_list) AS min, list_max(rhodes_list) AS max, rhodes_list[1] AS first, rhodes_list[-1] AS last,
    rhodes_ids AS parents FROM rhodes_windows ORDER BY ALL))";

// {where}: which records count.
constexpr const char* kSessions = R"((
  WITH rhodes_steps AS (SELECT source AS rhodes_source, author AS rhodes_author, id AS rhodes_id, time AS rhodes_time,
      latitude AS rhodes_latitude, longitude AS rhodes_longitude,
      CASE WHEN time_us(time) - lag(time_us(time)) OVER rhodes_w <= epoch_us(gap) THEN 0 ELSE 1 END AS rhodes_first
      FROM query_table(samples) WHERE isfinite(time){where}
      WINDOW rhodes_w AS (PARTITION BY source, author ORDER BY time, id)),
    rhodes_numbered AS (SELECT *, sum(rhodes_first) OVER (PARTITION BY rhodes_source, rhodes_author ORDER BY
      rhodes_time, rhodes_id ROWS UNBOUNDED PRECEDING) AS rhodes_number FROM rhodes_steps),
    rhodes_measured AS (SELECT *, distance_m(lag(rhodes_latitude) OVER rhodes_w, lag(rhodes_longitude) OVER rhodes_w,
      rhodes_latitude, rhodes_longitude) AS rhodes_step FROM rhodes_numbered WINDOW rhodes_w AS (PARTITION BY
      rhodes_source, rhodes_author, rhodes_number ORDER BY rhodes_time, rhodes_id))
  SELECT rhodes_source AS source, rhodes_author AS author, CAST(rhodes_number AS BIGINT) AS number,
    min(rhodes_time) AS begin_time, max(rhodes_time) AS end_time, count(*) AS records,
    coalesce(list_sum(list(rhodes_step ORDER BY rhodes_time, rhodes_id) FILTER (rhodes_step IS NOT NULL)), 0) AS metres,
    list(rhodes_id ORDER BY rhodes_time, rhodes_id) AS parents
  FROM rhodes_measured GROUP BY rhodes_source, rhodes_author, rhodes_number ORDER BY source, author, number))";

// Buckets that follow each other without a gap have the same number minus rank.
constexpr const char* kBursts = R"(
CREATE TEMP MACRO bursts(posts, key_column, width, history, least_surprise) AS TABLE (
  WITH rhodes_posts AS (SELECT COLUMNS(rhodes_c -> rhodes_c = key_column) AS rhodes_key, id AS rhodes_id,
      time AS rhodes_time FROM query_table(posts) WHERE isfinite(time)),
    rhodes_span AS (SELECT min(time_bucket(width, rhodes_time)) AS rhodes_start FROM rhodes_posts),
    rhodes_counts AS (SELECT rhodes_key, time_bucket(width, rhodes_time) AS rhodes_bucket, count(*) AS rhodes_count,
      list(rhodes_id ORDER BY rhodes_time, rhodes_id) AS rhodes_ids
      FROM rhodes_posts WHERE rhodes_key IS NOT NULL GROUP BY ALL),
    rhodes_known AS (SELECT rhodes_counts.*,
      coalesce(sum(rhodes_count) OVER (PARTITION BY rhodes_key ORDER BY rhodes_bucket
        RANGE BETWEEN history PRECEDING AND width PRECEDING), 0) AS rhodes_before,
      least(epoch_us(history), epoch_us(rhodes_bucket) - epoch_us(rhodes_start)) // epoch_us(width) AS rhodes_length
      FROM rhodes_counts, rhodes_span),
    rhodes_scored AS (SELECT *, CAST((rhodes_before + 1) / (rhodes_length + 1) AS DOUBLE) AS rhodes_expected,
      poisson_surprise(rhodes_count, CAST((rhodes_before + 1) / (rhodes_length + 1) AS DOUBLE)) AS rhodes_surprise
      FROM rhodes_known WHERE rhodes_length > 0),
    rhodes_islands AS (SELECT *, epoch_us(rhodes_bucket) // epoch_us(width) - row_number() OVER (PARTITION BY rhodes_key
      ORDER BY rhodes_bucket) AS rhodes_island FROM rhodes_scored WHERE rhodes_surprise >= least_surprise)
  SELECT rhodes_key AS key, min(rhodes_bucket) AS begin_time, max(rhodes_bucket) + width AS end_time,
    CAST(sum(rhodes_count) AS BIGINT) AS records, list_sum(list(rhodes_expected ORDER BY rhodes_bucket)) AS expected,
    max(rhodes_surprise) AS surprise, flatten(list(rhodes_ids ORDER BY rhodes_bucket)) AS parents
  FROM rhodes_islands GROUP BY rhodes_key, rhodes_island ORDER BY begin_time, key))";

// A stretch ends where nothing happens for longer than the window, so that no cluster crosses it.
constexpr const char* kSameEvent = R"(
CREATE TEMP MACRO same_event(told, most_metres, within) AS TABLE (
  WITH rhodes_told AS (SELECT id AS rhodes_id, source AS rhodes_source, time AS rhodes_time,
      latitude AS rhodes_latitude, longitude AS rhodes_longitude FROM query_table(told)
      WHERE isfinite(time) AND near_cell(time_us(time), latitude, longitude, CAST(most_metres AS DOUBLE),
      epoch_us(within)) IS NOT NULL),
    rhodes_steps AS (SELECT *, CASE WHEN epoch_us(rhodes_time) - lag(epoch_us(rhodes_time)) OVER (ORDER BY rhodes_time,
      rhodes_id) <= epoch_us(within) THEN 0 ELSE 1 END AS rhodes_first FROM rhodes_told),
    rhodes_stretched AS (SELECT *, sum(rhodes_first) OVER (ORDER BY rhodes_time, rhodes_id ROWS UNBOUNDED PRECEDING) AS
      rhodes_stretch FROM rhodes_steps),
    rhodes_lists AS (SELECT rhodes_stretch, list(rhodes_id ORDER BY rhodes_time, rhodes_id) AS rhodes_ids,
      cluster_events(list(epoch_us(rhodes_time) ORDER BY rhodes_time, rhodes_id),
        list(rhodes_latitude ORDER BY rhodes_time, rhodes_id), list(rhodes_longitude ORDER BY rhodes_time, rhodes_id),
        CAST(most_metres AS DOUBLE), epoch_us(within)) AS rhodes_labels FROM rhodes_stretched GROUP BY rhodes_stretch),
    rhodes_labelled AS (SELECT unnest(rhodes_ids) AS rhodes_id, unnest(list_transform(rhodes_labels, rhodes_i ->
      rhodes_ids[rhodes_i + 1])) AS rhodes_event FROM rhodes_lists)
  SELECT rhodes_event AS event, min(rhodes_time) AS begin_time, max(rhodes_time) AS end_time, count(*) AS records,
    list_sort(list(DISTINCT rhodes_source)) AS sources, first(rhodes_latitude ORDER BY rhodes_time, rhodes_id) AS
    latitude, first(rhodes_longitude ORDER BY rhodes_time, rhodes_id) AS longitude,
    list(rhodes_id ORDER BY rhodes_time, rhodes_id) AS parents
  FROM rhodes_labelled JOIN rhodes_told USING (rhodes_id) GROUP BY rhodes_event
  HAVING count(DISTINCT rhodes_source) > 1 ORDER BY begin_time, event))";

// The same rules as FindAnomalies() (fuse/anomalies.h), in SQL.
constexpr const char* kAnomalies = R"(
CREATE TEMP MACRO anomalies(samples, latest, most_metres_per_second) AS TABLE (
  WITH rhodes_all AS (SELECT id AS rhodes_id, source AS rhodes_source, author AS rhodes_author, kind AS rhodes_kind, file AS rhodes_file,
      "begin" AS rhodes_at, time_us(time) AS rhodes_time, CAST(time AS TIMESTAMP) AS rhodes_moment,
      CASE WHEN distance_m(latitude, longitude, 0, 0) IS NOT NULL THEN
        {'id': id, 'time': time_us(time), 'latitude': latitude, 'longitude': longitude} END AS rhodes_place,
      author IS NOT NULL AND cardinality(channels) > 0 AS rhodes_device FROM query_table(samples)),
    rhodes_steps AS (SELECT *, lag({'id': rhodes_id, 'time': rhodes_time}) OVER rhodes_w AS rhodes_before,
      lag(rhodes_place IGNORE NULLS) OVER rhodes_w AS rhodes_last_place FROM rhodes_all
      WHERE rhodes_device AND rhodes_time IS NOT NULL WINDOW rhodes_w AS (PARTITION BY rhodes_source, rhodes_author,
      rhodes_kind, rhodes_file ORDER BY rhodes_at, rhodes_id)),
    rhodes_moves AS (SELECT *, abs(rhodes_time - rhodes_last_place.time) / 1e6 AS rhodes_seconds,
      distance_m(rhodes_last_place.latitude, rhodes_last_place.longitude, rhodes_place.latitude,
        rhodes_place.longitude) AS rhodes_metres FROM rhodes_steps)
  SELECT 'future' AS anomaly, rhodes_id AS id, rhodes_source AS source, rhodes_author AS author,
    rhodes_moment AS time, NULL::VARCHAR AS other_id,
    (rhodes_time - time_us(latest)) / 1e6 AS seconds, NULL::DOUBLE AS metres
  FROM rhodes_all WHERE rhodes_time > time_us(latest)
  UNION ALL SELECT 'clock', rhodes_id, rhodes_source, rhodes_author, rhodes_moment, rhodes_before.id,
    (rhodes_time - rhodes_before.time) / 1e6, NULL FROM rhodes_steps
  WHERE rhodes_before.time - rhodes_time > 1000000
  UNION ALL SELECT 'two places', rhodes_id, rhodes_source, rhodes_author, rhodes_moment, rhodes_last_place.id,
    rhodes_seconds, rhodes_metres FROM rhodes_moves
  WHERE rhodes_metres > 1000 AND rhodes_metres > rhodes_seconds * most_metres_per_second
  ORDER BY anomaly, source, author, time, id))";

std::string WithPlace(const char* body, const char* where) {
  return fmt::format(fmt::runtime(body), fmt::arg("where", where));
}

}  // namespace

absl::Status CreateFuseMacros(Database& database) {
  RETURN_IF_ERROR(database.Execute(kTimeUs));
  RETURN_IF_ERROR(database.Execute(kHashtags));
  RETURN_IF_ERROR(database.Execute(NearestMacro("nearest_before", kNearestSide, ">=")));
  RETURN_IF_ERROR(database.Execute(NearestMacro("nearest_after", kNearestSide, "<=")));
  RETURN_IF_ERROR(database.Execute(NearestMacro("nearest", kNearestBoth, "")));
  RETURN_IF_ERROR(database.Execute(kWithinDistance));
  RETURN_IF_ERROR(database.Execute(kTelemetryWindows));
  RETURN_IF_ERROR(database.Execute("CREATE TEMP MACRO sessions(samples, gap) AS TABLE " + WithPlace(kSessions, "")));
  RETURN_IF_ERROR(database.Execute("CREATE TEMP MACRO trips(samples, channel, above, gap) AS TABLE " +
                                   WithPlace(kSessions, " AND channels[channel] > above")));
  RETURN_IF_ERROR(database.Execute(kBursts));
  RETURN_IF_ERROR(database.Execute(kSameEvent));
  return database.Execute(kAnomalies);
}

}  // namespace rhodes
