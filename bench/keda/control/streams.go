package main

import (
	"bufio"
	"context"
	"flag"
	"os"
	"sync"
	"time"

	pb "foretide.dev/bench/keda/control/externalscaler"
)

// streams opens StreamIsActive many times on one connection, tells when each of them has heard the state, and then for
// each change when all of them have heard it. It ends when standard input does.
func streams(arguments []string) error {
	flags := flag.NewFlagSet("streams", flag.ExitOnError)
	endpoints := flags.String("endpoints", "", "HOST:PORT")
	count := flags.Int("count", 10_000, "streams")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	connection, err := connect(*endpoints)
	if err != nil {
		return err
	}
	defer connection.Close()
	ctx, leave := context.WithCancel(context.Background())
	defer leave()
	heard := &rounds{count: *count}
	failed := make(chan error, *count)
	scaler := pb.NewExternalScalerClient(connection)
	for range *count {
		go func() { failed <- heard.listen(ctx, scaler) }()
	}
	ended := make(chan struct{})
	go func() {
		for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		}
		close(ended)
	}()
	select {
	case err := <-failed:
		return err
	case <-ended:
		return nil
	}
}

// rounds counts how many streams have heard the first message, the second, and so on.
type rounds struct {
	mutex  sync.Mutex
	count  int
	counts []int
}

func (r *rounds) listen(ctx context.Context, scaler pb.ExternalScalerClient) error {
	stream, err := scaler.StreamIsActive(ctx, reference(0))
	if err != nil {
		return err
	}
	for round := 0; ; round++ {
		if _, err := stream.Recv(); err != nil {
			return err
		}
		if err := r.note(round); err != nil {
			return err
		}
	}
}

func (r *rounds) note(round int) error {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if round == len(r.counts) {
		r.counts = append(r.counts, 0)
	}
	r.counts[round]++
	if r.counts[round] < r.count {
		return nil
	}
	return say(map[string]int64{"round": int64(round), "all_heard_ns": time.Now().UnixNano()})
}
