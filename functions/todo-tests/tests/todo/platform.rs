use std::net::TcpStream;

use todo_tests::Platform;

#[tokio::test(flavor = "multi_thread")]
async fn a_platform_is_there_while_it_is_held_and_leaves_nothing() {
    let Some(platform) = Platform::start().await else { return };
    let kafka = platform.kafka_brokers();
    let folder = platform.log("kafka").parent().unwrap().parent().unwrap().to_owned();
    platform.kill("kafka").await;
    assert!(TcpStream::connect(&kafka).is_err(), "Kafka was killed");
    platform.start_again("kafka").await;
    assert!(TcpStream::connect(&kafka).is_ok(), "Kafka was started");
    drop(platform);
    assert!(TcpStream::connect(&kafka).is_err() && !folder.exists(), "something is left");
}
