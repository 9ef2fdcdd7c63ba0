// Reads Kubernetes manifests from standard input, as `kubectl apply` would be given them, and refuses what the API server or the webhooks of
// Knative would refuse of their shape: each document is decoded strictly into the type of its own project, and Knative's are validated by
// Knative's own code. Dapr's are checked by its types, and the two kinds that no package publishes (KafkaSource, KafkaSink) by the copies of
// their fields below. What depends on the cluster (quotas, other objects) it cannot know. Arguments name features of Knative Serving that are
// switched on there, such as kubernetes.podspec-topologyspreadconstraints.
//
// `manifests kustomize FOLDER` prints what `kubectl kustomize FOLDER` would, by the same code, in the order of the files.
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	components "github.com/dapr/dapr/pkg/apis/components/v1alpha1"
	configuration "github.com/dapr/dapr/pkg/apis/configuration/v1alpha1"
	endpoints "github.com/dapr/dapr/pkg/apis/httpEndpoint/v1alpha1"
	resiliency "github.com/dapr/dapr/pkg/apis/resiliency/v1alpha1"
	apps "k8s.io/api/apps/v1"
	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	policy "k8s.io/api/policy/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	decoder "k8s.io/apimachinery/pkg/util/yaml"
	duck "knative.dev/eventing/pkg/apis/duck/v1"
	eventing "knative.dev/eventing/pkg/apis/eventing/v1"
	"knative.dev/eventing/pkg/apis/feature"
	sources "knative.dev/eventing/pkg/apis/sources/v1"
	"knative.dev/pkg/apis"
	pkgduck "knative.dev/pkg/apis/duck/v1"
	"knative.dev/serving/pkg/apis/config"
	serving "knative.dev/serving/pkg/apis/serving/v1"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

// kafkaSource is `sources.knative.dev/v1` as eventing-kafka-broker's Go types have it.
type kafkaSource struct {
	meta.TypeMeta   `json:",inline"`
	meta.ObjectMeta `json:"metadata"`
	Spec            struct {
		Consumers        *int32             `json:"consumers,omitempty"`
		BootstrapServers []string           `json:"bootstrapServers"`
		Net              kafkaNet           `json:"net,omitempty"`
		Topics           []string           `json:"topics"`
		ConsumerGroup    string             `json:"consumerGroup,omitempty"`
		InitialOffset    string             `json:"initialOffset,omitempty"`
		Delivery         *duck.DeliverySpec `json:"delivery,omitempty"`
		Ordering         string             `json:"ordering,omitempty"`
		pkgduck.SourceSpec
	} `json:"spec"`
}

type kafkaNet struct {
	SASL struct {
		Enable        bool   `json:"enable,omitempty"`
		User          secret `json:"user,omitempty"`
		Password      secret `json:"password,omitempty"`
		RoleARN       secret `json:"roleARN,omitempty"`
		TokenProvider secret `json:"tokenProvider,omitempty"`
		Type          secret `json:"type,omitempty"`
	} `json:"sasl,omitempty"`
	TLS struct {
		Enable bool   `json:"enable,omitempty"`
		Cert   secret `json:"cert,omitempty"`
		Key    secret `json:"key,omitempty"`
		CACert secret `json:"caCert,omitempty"`
	} `json:"tls,omitempty"`
}

type secret struct {
	SecretKeyRef *core.SecretKeySelector `json:"secretKeyRef,omitempty"`
}

// Validate says what the source's webhook would.
func (s *kafkaSource) Validate(ctx context.Context) *apis.FieldError {
	var all *apis.FieldError
	if len(s.Spec.Topics) == 0 {
		all = all.Also(apis.ErrMissingField("topics"))
	}
	if len(s.Spec.BootstrapServers) == 0 {
		all = all.Also(apis.ErrMissingField("bootstrapServers"))
	}
	if o := s.Spec.InitialOffset; o != "" && o != "earliest" && o != "latest" {
		all = all.Also(apis.ErrInvalidValue(o, "initialOffset"))
	}
	if o := s.Spec.Ordering; o != "" && o != "ordered" && o != "unordered" {
		all = all.Also(apis.ErrInvalidValue(o, "ordering"))
	}
	return all.Also(s.Spec.Delivery.Validate(ctx)).Also(s.Spec.Sink.Validate(ctx))
}

// kafkaSink is `eventing.knative.dev/v1alpha1`, by its CustomResourceDefinition.
type kafkaSink struct {
	meta.TypeMeta   `json:",inline"`
	meta.ObjectMeta `json:"metadata"`
	Spec            struct {
		Topic             string   `json:"topic"`
		NumPartitions     *int32   `json:"numPartitions,omitempty"`
		ReplicationFactor *int16   `json:"replicationFactor,omitempty"`
		BootstrapServers  []string `json:"bootstrapServers"`
		ContentMode       string   `json:"contentMode,omitempty"`
		Auth              *struct {
			Secret *struct {
				Ref *struct {
					Name string `json:"name"`
				} `json:"ref"`
			} `json:"secret"`
		} `json:"auth,omitempty"`
	} `json:"spec"`
}

// What this project has no type for at hand: kinds of clusters that have Gateway API or Strimzi.
var unknown = map[string]bool{
	"gateway.networking.k8s.io/v1/Gateway": true, "gateway.networking.k8s.io/v1/HTTPRoute": true,
	"gateway.networking.k8s.io/v1beta1/ReferenceGrant": true, "kafka.strimzi.io/v1/KafkaTopic": true, "kafka.strimzi.io/v1/KafkaUser": true,
}

func typeOf(kind string) any {
	switch kind {
	case "v1/Service":
		return &core.Service{}
	case "v1/ServiceAccount":
		return &core.ServiceAccount{}
	case "v1/ConfigMap":
		return &core.ConfigMap{}
	case "v1/Pod":
		return &core.Pod{}
	case "apps/v1/Deployment":
		return &apps.Deployment{}
	case "apps/v1/StatefulSet":
		return &apps.StatefulSet{}
	case "batch/v1/Job":
		return &batch.Job{}
	case "networking.k8s.io/v1/NetworkPolicy":
		return &networking.NetworkPolicy{}
	case "policy/v1/PodDisruptionBudget":
		return &policy.PodDisruptionBudget{}
	case "serving.knative.dev/v1/Service":
		return &serving.Service{}
	case "eventing.knative.dev/v1/Broker":
		return &eventing.Broker{}
	case "eventing.knative.dev/v1/Trigger":
		return &eventing.Trigger{}
	case "sources.knative.dev/v1/PingSource":
		return &sources.PingSource{}
	case "sources.knative.dev/v1/KafkaSource":
		return &kafkaSource{}
	case "eventing.knative.dev/v1alpha1/KafkaSink":
		return &kafkaSink{}
	case "dapr.io/v1alpha1/Component":
		return &components.Component{}
	case "dapr.io/v1alpha1/Configuration":
		return &configuration.Configuration{}
	case "dapr.io/v1alpha1/HTTPEndpoint":
		return &endpoints.HTTPEndpoint{}
	case "dapr.io/v1alpha1/Resiliency":
		return &resiliency.Resiliency{}
	}
	return nil
}

type validated interface {
	Validate(ctx context.Context) *apis.FieldError
}

func check(ctx context.Context, document []byte) (string, error) {
	var head struct {
		meta.TypeMeta `json:",inline"`
		Metadata      meta.ObjectMeta `json:"metadata"`
	}
	if err := yaml.Unmarshal(document, &head); err != nil {
		return "", err
	}
	kind := head.APIVersion + "/" + head.Kind
	name := kind + " " + head.Metadata.Name
	if unknown[kind] {
		return "", nil
	}
	object := typeOf(kind)
	if object == nil {
		return name, fmt.Errorf("no type is known for it")
	}
	if err := yaml.UnmarshalStrict(document, object); err != nil {
		return name, err
	}
	if it, ok := object.(apis.Defaultable); ok {
		it.SetDefaults(ctx)
	}
	if it, ok := object.(validated); ok {
		if err := it.Validate(ctx); err != nil {
			return name, err
		}
	}
	return name, nil
}

// knative is a context in which something is created where these features are switched on.
func knative(enabled []string) context.Context {
	settings := map[string]string{}
	for _, name := range enabled {
		settings[name] = "enabled"
	}
	serves, err := config.NewFeaturesConfigFromMap(settings)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(64)
	}
	// As the ConfigMap `config-features` of Eventing comes; its code alone would refuse a timeout.
	delivers := feature.Flags{feature.DeliveryTimeout: feature.Enabled}
	ctx := feature.ToContext(apis.WithinCreate(context.Background()), delivers)
	return config.ToContext(ctx, &config.Config{Features: serves})
}

// kustomize prints the manifests of a folder.
func kustomize(folder string) error {
	built, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), folder)
	if err != nil {
		return err
	}
	text, err := built.AsYaml()
	if err != nil {
		return err
	}
	_, err = os.Stdout.Write(text)
	return err
}

func main() {
	if len(os.Args) == 3 && os.Args[1] == "kustomize" {
		if err := kustomize(os.Args[2]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	ctx := knative(os.Args[1:])
	documents := decoder.NewYAMLReader(bufio.NewReader(os.Stdin))
	failed, checked := 0, 0
	for {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		if isEmpty(document) {
			continue
		}
		name, err := check(ctx, document)
		if err != nil {
			failed++
			fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		} else if name != "" {
			checked++
		}
	}
	fmt.Printf("%d manifests checked, %d refused\n", checked, failed)
	if failed > 0 || checked == 0 {
		os.Exit(1)
	}
}

func isEmpty(document []byte) bool {
	var any map[string]any
	return yaml.Unmarshal(document, &any) == nil && len(any) == 0
}
