// Command control stands beside Foretide's server in the benchmark: a Go server of the same proto, and the client that
// asks both. Every subcommand prints JSON lines on standard output and takes orders as lines on standard input.
package main

import (
	"encoding/json"
	"fmt"
	"os"
)

var commands = map[string]func(arguments []string) error{
	"serve":   serve,
	"load":    load,
	"streams": streams,
}

func main() {
	if len(os.Args) < 2 || commands[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: control serve | load | streams [flags]")
		os.Exit(2)
	}
	if err := commands[os.Args[1]](os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, "control:", err)
		os.Exit(1)
	}
}

func say(line any) error {
	return json.NewEncoder(os.Stdout).Encode(line)
}
