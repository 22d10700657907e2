package main

import (
	"bufio"
	"context"
	"flag"
	"math"
	"os"
	"slices"
	"sync"
	"time"

	pb "foretide.dev/bench/keda/control/externalscaler"
)

// outcome is one call: how long after the instant it was due it had its answer, and what went wrong.
type outcome struct {
	seconds float64
	err     error
}

// load asks at a fixed rate, whether or not earlier calls have been answered. Latency counts from the instant at which
// a call was due, so that a server which stalls pays for every call that it kept waiting. A line on standard input ends
// it before its time.
func load(arguments []string) error {
	flags := flag.NewFlagSet("load", flag.ExitOnError)
	endpoints := flags.String("endpoints", "", "HOST:PORT, more than one apart by commas")
	rate := flags.Int("rate", 500, "calls per second; 0 for as many as 64 at a time give")
	duration := flags.Duration("duration", 10*time.Second, "how long")
	warmup := flags.Duration("warmup", time.Second, "how long before, not counted")
	policies := flags.Int("policies", 1, "how many are asked for in turn")
	mixed := flags.Bool("mixed", false, "IsActive and GetMetrics in turn, as KEDA asks; GetMetrics alone otherwise")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	connection, err := connect(*endpoints)
	if err != nil {
		return err
	}
	defer connection.Close()
	caller := &caller{
		scaler: pb.NewExternalScalerClient(connection), policies: *policies, mixed: *mixed, enough: make(chan struct{}),
	}
	go caller.hear()
	run := func(length time.Duration) []outcome {
		if *rate == 0 {
			return caller.closed(64, length)
		}
		return caller.open(*rate, length)
	}
	run(*warmup)
	if err := say(map[string]int64{"began_ns": time.Now().UnixNano()}); err != nil {
		return err
	}
	began := time.Now()
	outcomes := run(*duration)
	return say(summary(outcomes, time.Since(began)))
}

type caller struct {
	scaler   pb.ExternalScalerClient
	policies int
	mixed    bool
	enough   chan struct{} // closed when no further call is to be made
}

func (c *caller) hear() {
	if bufio.NewScanner(os.Stdin).Scan() {
		close(c.enough)
	}
}

func (c *caller) open(rate int, length time.Duration) []outcome {
	outcomes := make([]outcome, int(length.Seconds()*float64(rate)))
	var running sync.WaitGroup
	began := time.Now()
	for number := range outcomes {
		due := began.Add(time.Duration(number) * time.Second / time.Duration(rate))
		select {
		case <-c.enough:
			running.Wait()
			return outcomes[:number]
		case <-time.After(time.Until(due)):
		}
		running.Go(func() { outcomes[number] = c.call(number, due) })
	}
	running.Wait()
	return outcomes
}

func (c *caller) closed(callers int, length time.Duration) []outcome {
	outcomes := make([][]outcome, callers)
	end := time.Now().Add(length)
	var running sync.WaitGroup
	for one := range callers {
		running.Go(func() {
			for number := one; time.Now().Before(end); number++ {
				outcomes[one] = append(outcomes[one], c.call(number, time.Now()))
			}
		})
	}
	running.Wait()
	return slices.Concat(outcomes...)
}

func (c *caller) call(number int, due time.Time) outcome {
	ref := reference(number / 2 % c.policies)
	var err error
	if c.mixed && number%2 == 0 {
		_, err = c.scaler.IsActive(context.Background(), ref)
	} else {
		request := &pb.GetMetricsRequest{ScaledObjectRef: ref, MetricName: metricName}
		_, err = c.scaler.GetMetrics(context.Background(), request)
	}
	return outcome{time.Since(due).Seconds(), err}
}

func summary(outcomes []outcome, took time.Duration) map[string]any {
	var waits []float64
	failures := map[string]int{}
	for _, each := range outcomes {
		waits = append(waits, each.seconds)
		if each.err != nil {
			failures[each.err.Error()]++
		}
	}
	slices.Sort(waits)
	failed := 0
	for _, count := range failures {
		failed += count
	}
	return map[string]any{
		"calls": len(outcomes), "failed": failed, "failures": failures, "seconds": took.Seconds(),
		"p50_ms": 1000 * quantile(waits, 0.5), "p99_ms": 1000 * quantile(waits, 0.99), "max_ms": 1000 * quantile(waits, 1),
	}
}

// quantile returns the nearest rank of sorted values.
func quantile(sorted []float64, share float64) float64 {
	if len(sorted) == 0 {
		return math.NaN()
	}
	return sorted[max(0, int(math.Ceil(share*float64(len(sorted))))-1)]
}
