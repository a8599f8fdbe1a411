// Command peer executes a workload of emberd's bench on wasmd v0.61.14 and prints what each block took.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"os"
)

func main() {
	workload := flag.String("workload", "", "folder of genesis.json and blocks.jsonl, as peer_load writes it")
	home := flag.String("home", "", "empty folder for the chain's state")
	step := flag.Bool("step", false, "wait for a line on standard input before each block")
	flag.Parse()
	if *workload == "" || *home == "" || flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	if err := run(*workload, *home, *step); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(workload, home string, step bool) error {
	genesis, err := readGenesis(workload)
	if err != nil {
		return err
	}
	blocks, err := openBlocks(workload)
	if err != nil {
		return err
	}
	chain, err := openChain(home, genesis)
	if err != nil {
		return err
	}
	out := json.NewEncoder(os.Stdout)
	steps := bufio.NewScanner(os.Stdin)
	for {
		block, err := blocks.Next()
		if err != nil {
			return err
		}
		if block == nil || (step && !steps.Scan()) {
			return chain.close()
		}
		figures, err := chain.run(block)
		if err != nil {
			return err
		}
		if err := out.Encode(figures); err != nil {
			return err
		}
	}
}
