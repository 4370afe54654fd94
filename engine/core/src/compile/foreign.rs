//! What `$$.…` is called in other systems.

/// The metadata that a word of other systems means.
pub(super) fn metadata(name: &str) -> Option<&'static str> {
    let plain: String = name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    Some(match plain.as_str() {
        "timestamp"
        | "at"
        | "ts"
        | "arrival"
        | "arrivaltime"
        | "approximatearrivaltimestamp"
        | "approximatecreationdatetime"
        | "createdat"
        | "date"
        | "datetime" => "time",
        "eventid" | "messageid" | "uuid" => "id",
        "eventname" | "type" | "operation" | "op" | "action" | "eventtype" => "change",
        "partitionkey" | "partition" | "key" => "lane",
        "table" | "source" | "topic" | "streamname" | "tablename" | "eventsourcearn" | "name" => "stream",
        "sequencenumber" | "seq" | "offset" | "version" => "sequence",
        "shardid" => "shard",
        "clock" | "today" | "currenttime" => "now",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::metadata;

    #[test]
    fn names_of_the_services_themselves_are_known() {
        assert_eq!(metadata("approximateArrivalTimestamp"), Some("time"));
        assert_eq!(metadata("colour"), None);
    }
}
