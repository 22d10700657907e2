package main

import (
	"fmt"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/resolver"
	"google.golang.org/grpc/resolver/manual"

	pb "foretide.dev/bench/keda/control/externalscaler"
)

// connect opens what KEDA opens: one connection per endpoint, round robin over them, calls that fail fast.
func connect(endpoints string) (*grpc.ClientConn, error) {
	var addresses []resolver.Address
	for _, endpoint := range strings.Split(endpoints, ",") {
		addresses = append(addresses, resolver.Address{Addr: endpoint})
	}
	builder := manual.NewBuilderWithScheme("endpoints")
	builder.InitialState(resolver.State{Addresses: addresses})
	return grpc.NewClient(
		"endpoints:///all",
		grpc.WithResolvers(builder),
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultServiceConfig(`{"loadBalancingConfig": [{"round_robin": {}}]}`),
	)
}

// reference is what KEDA sends for one trigger: its metadata whole, 6 entries.
func reference(policy int) *pb.ScaledObjectRef {
	name := fmt.Sprintf("policy-%d", policy)
	return &pb.ScaledObjectRef{Name: name, Namespace: "ml", ScalerMetadata: map[string]string{
		"policy":        name,
		"scalerAddress": "foretide.foretide-system.svc.cluster.local:6000",
		"team":          "inference-platform",
		"costCenter":    "4711-machine-learning",
		"dashboard":     "https://grafana.example.com/d/foretide/policy",
		"unsafeSsl":     "false",
	}}
}
