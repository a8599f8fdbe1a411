package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"time"
)

// Genesis is what both sides begin with, as the Rust side writes it to genesis.json.
type Genesis struct {
	ChainID  string    `json:"chain_id"`
	Time     time.Time `json:"genesis_time"`
	AppState struct {
		Auth struct {
			Accounts []json.RawMessage `json:"accounts"`
		} `json:"auth"`
		Bank struct {
			Balances []json.RawMessage `json:"balances"`
		} `json:"bank"`
	} `json:"app_state"`
}

// Block is one line of blocks.jsonl.
type Block struct {
	// Workload is what its transactions do; "setup" is not measured by whoever reads the figures.
	Workload string `json:"workload"`
	// Time of the block, unix seconds.
	Time int64 `json:"time"`
	// Check says that each transaction goes through CheckTx first, as it does on a node that had it in its mempool.
	Check bool `json:"check"`
	// Readers ask while the block is made, each in a goroutine of its own.
	Readers []Reader `json:"readers"`
	// Txs are the signed bytes.
	Txs [][]byte `json:"txs"`
}

// Reader is a query that is asked again and again.
type Reader struct {
	Path string `json:"path"`
	Data []byte `json:"data"`
}

// Figures of one block, a line of the output.
type Figures struct {
	Workload   string  `json:"workload"`
	Block      int64   `json:"block"`
	Txs        int     `json:"txs"`
	Checked    bool    `json:"checked"`
	CheckMs    float64 `json:"check_ms"`
	ProcessMs  float64 `json:"process_ms"`
	FinalizeMs float64 `json:"finalize_ms"`
	CommitMs   float64 `json:"commit_ms"`
	// Gas that the transactions used.
	Gas int64 `json:"gas"`
	// Queries answered during the last three calls.
	Queries uint64 `json:"queries"`
	OK      bool   `json:"ok"`
}

func readGenesis(dir string) (genesis Genesis, err error) {
	bytes, err := os.ReadFile(filepath.Join(dir, "genesis.json"))
	if err != nil {
		return genesis, err
	}
	return genesis, json.Unmarshal(bytes, &genesis)
}

// Blocks reads one block after the other, so that the whole workload is never in memory.
type Blocks struct {
	file    *os.File
	decoder *json.Decoder
}

func openBlocks(dir string) (*Blocks, error) {
	file, err := os.Open(filepath.Join(dir, "blocks.jsonl"))
	if err != nil {
		return nil, err
	}
	return &Blocks{file: file, decoder: json.NewDecoder(bufio.NewReaderSize(file, 1<<20))}, nil
}

// Next is the next block; nil after the last.
func (b *Blocks) Next() (*Block, error) {
	var block Block
	err := b.decoder.Decode(&block)
	if errors.Is(err, io.EOF) {
		return nil, b.file.Close()
	}
	return &block, err
}
