// A Kafka topic, through librdkafka.
#ifndef RHODES_FOLLOW_KAFKA_STREAM_H_
#define RHODES_FOLLOW_KAFKA_STREAM_H_

#include <memory>

#include "follow/stream.h"

namespace rhodes {

// kafka://host:port/topic?group=G&format=F&from=earliest|latest&partitions=group|all|0,3&config=FILE
//
// A member of the consumer group `group` (rhodes-TOPIC): the broker gives it some of the partitions. In each it goes on
// behind `position`, where that names the partition; else behind the offset that the group committed; else at `from`
// (earliest). With `partitions` it takes all or those instead, without being a member: nobody else's coming and going
// disturbs it, and a restart begins at once. Offsets are committed by Acknowledge() only. Transactions that were not
// committed are not read. `config`: a file of librdkafka's settings, "security.protocol=SASL_SSL" a line; those that
// would break the promise that nothing is lost (enable.auto.commit, ...) are refused.
//
// A record's file is kafka://TOPIC/PARTITION (without the brokers, which change), its range [offset, offset + 1).
// Tombstones, empty messages and messages that are no records are rejects with their bytes. Messages that the broker
// deleted before they could be read, and a topic that was made anew, are rejects that name the offsets.
//
// position(): {"format": F, "member": group.instance.id, "partitions": {"0": next offset, ...}}.
// Errors of opening: UsageError. Errors of Next(): NOT_FOUND for a topic that is not there, PERMISSION_DENIED.
absl::StatusOr<std::unique_ptr<Stream>> OpenKafkaStream(const StreamUrl& url, const Json& position,
                                                        const StreamOptions& options);

}  // namespace rhodes

#endif  // RHODES_FOLLOW_KAFKA_STREAM_H_
