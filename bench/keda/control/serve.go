package main

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"math"
	"net"
	"os"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/status"

	pb "foretide.dev/bench/keda/control/externalscaler"
)

const metricName = "foretide-replicas"

type key struct{ namespace, name string }

// answer is what is known of one policy; changed is closed when another takes its place.
type answer struct {
	replicas float64
	active   bool
	changed  chan struct{}
}

// scaler does what an external scaler written by hand does: look the policy up, answer, and push a change to streams.
type scaler struct {
	pb.UnimplementedExternalScalerServer
	mutex   sync.RWMutex
	answers map[key]answer
}

func serve(arguments []string) error {
	flags := flag.NewFlagSet("serve", flag.ExitOnError)
	policies := flags.Int("policies", 1, "how many: ml/policy-0, ml/policy-1, …")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	own := &scaler{answers: map[key]answer{}}
	for number := range *policies {
		own.publish(key{"ml", fmt.Sprintf("policy-%d", number)}, 10.7, false)
	}
	server := grpc.NewServer(grpc.KeepaliveParams(keepalive.ServerParameters{Time: 30 * time.Second}))
	pb.RegisterExternalScalerServer(server, own)
	go own.follow()
	if err := say(map[string]int{"port": listener.Addr().(*net.TCPAddr).Port}); err != nil {
		return err
	}
	return server.Serve(listener)
}

// follow publishes what standard input says of policy-0, "true" or "false", and tells when it did.
func (s *scaler) follow() {
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		at := time.Now().UnixNano()
		s.publish(key{"ml", "policy-0"}, 10.7, lines.Text() == "true")
		_ = say(map[string]int64{"published_ns": at})
	}
}

func (s *scaler) publish(k key, replicas float64, active bool) {
	s.mutex.Lock()
	before, existed := s.answers[k]
	s.answers[k] = answer{replicas, active, make(chan struct{})}
	s.mutex.Unlock()
	if existed {
		close(before.changed)
	}
}

func (s *scaler) find(reference *pb.ScaledObjectRef) (answer, error) {
	name := reference.GetScalerMetadata()["policy"]
	s.mutex.RLock()
	found, known := s.answers[key{reference.GetNamespace(), name}]
	s.mutex.RUnlock()
	if !known {
		return answer{}, status.Errorf(codes.NotFound, "there is no policy %q", name)
	}
	return found, nil
}

func (s *scaler) IsActive(_ context.Context, reference *pb.ScaledObjectRef) (*pb.IsActiveResponse, error) {
	found, err := s.find(reference)
	if err != nil {
		return nil, err
	}
	return &pb.IsActiveResponse{Result: found.active}, nil
}

func (s *scaler) GetMetricSpec(context.Context, *pb.ScaledObjectRef) (*pb.GetMetricSpecResponse, error) {
	spec := &pb.MetricSpec{MetricName: metricName, TargetSize: 1, TargetSizeFloat: 1}
	return &pb.GetMetricSpecResponse{MetricSpecs: []*pb.MetricSpec{spec}}, nil
}

func (s *scaler) GetMetrics(_ context.Context, request *pb.GetMetricsRequest) (*pb.GetMetricsResponse, error) {
	if !strings.EqualFold(request.GetMetricName(), metricName) {
		return nil, status.Errorf(codes.InvalidArgument, "there is no metric %q", request.GetMetricName())
	}
	found, err := s.find(request.GetScaledObjectRef())
	if err != nil {
		return nil, err
	}
	value := &pb.MetricValue{
		MetricName:       request.GetMetricName(),
		MetricValue:      int64(math.Ceil(found.replicas)),
		MetricValueFloat: found.replicas,
	}
	return &pb.GetMetricsResponse{MetricValues: []*pb.MetricValue{value}}, nil
}

func (s *scaler) StreamIsActive(
	reference *pb.ScaledObjectRef, stream grpc.ServerStreamingServer[pb.IsActiveResponse],
) error {
	for {
		found, err := s.find(reference)
		if err != nil {
			return err
		}
		if err := stream.Send(&pb.IsActiveResponse{Result: found.active}); err != nil {
			return err
		}
		select {
		case <-found.changed:
		case <-stream.Context().Done():
			return stream.Context().Err()
		}
	}
}
