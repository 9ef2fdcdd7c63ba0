import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.common.errors.TopicExistsException;

/** Creates topics that are not there yet: `CreateTopics <brokers> <partitions> <topic>…`. */
public class CreateTopics {
    public static void main(String[] args) throws Exception {
        Optional<Integer> partitions = Optional.of(Integer.parseInt(args[1]));
        var topics = Arrays.stream(args).skip(2)
            .map(name -> new NewTopic(name, partitions, Optional.of((short) 1))).collect(Collectors.toList());
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", args[0]))) {
            for (var created : admin.createTopics(topics).values().entrySet()) {
                try {
                    created.getValue().get();
                } catch (java.util.concurrent.ExecutionException e) {
                    if (!(e.getCause() instanceof TopicExistsException)) throw e;
                }
            }
        }
    }
}
