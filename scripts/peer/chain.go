package main

import (
	"fmt"
	"path/filepath"
	"time"

	"cosmossdk.io/log"
	"github.com/CosmWasm/wasmd/app"
	wasmtypes "github.com/CosmWasm/wasmd/x/wasm/types"
	abci "github.com/cometbft/cometbft/abci/types"
	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
	dbm "github.com/cosmos/cosmos-db"
	"github.com/cosmos/cosmos-sdk/client/flags"
	"github.com/cosmos/cosmos-sdk/server"
	serverconfig "github.com/cosmos/cosmos-sdk/server/config"
	simtestutil "github.com/cosmos/cosmos-sdk/testutil/sims"
	sdk "github.com/cosmos/cosmos-sdk/types"
)

// Chain is wasmd's application with its state in goleveldb on disk, driven as CometBFT drives it.
type Chain struct {
	app    *app.WasmApp
	height int64
}

// openChain makes the application with the options that `wasmd start` has by default, and initialises it.
func openChain(home string, genesis Genesis) (*Chain, error) {
	config := sdk.GetConfig()
	config.SetBech32PrefixForAccount(app.Bech32PrefixAccAddr, app.Bech32PrefixAccPub)
	config.SetBech32PrefixForValidator(app.Bech32PrefixValAddr, app.Bech32PrefixValPub)
	config.SetBech32PrefixForConsensusNode(app.Bech32PrefixConsAddr, app.Bech32PrefixConsPub)
	config.SetAddressVerifier(wasmtypes.VerifyAddressLen())
	config.Seal()
	db, err := dbm.NewDB("application", dbm.GoLevelDBBackend, filepath.Join(home, "data"))
	if err != nil {
		return nil, err
	}
	defaults := serverconfig.DefaultConfig()
	options := simtestutil.AppOptionsMap{
		flags.FlagHome:                 home,
		flags.FlagChainID:              genesis.ChainID,
		server.FlagPruning:             defaults.Pruning,
		server.FlagMinGasPrices:        "0stake",
		server.FlagInterBlockCache:     defaults.InterBlockCache,
		server.FlagIAVLCacheSize:       defaults.IAVLCacheSize,
		server.FlagDisableIAVLFastNode: defaults.IAVLDisableFastNode,
		server.FlagMempoolMaxTxs:       defaults.Mempool.MaxTxs,
		server.FlagQueryGasLimit:       defaults.QueryGasLimit,
	}
	chain := app.NewWasmApp(log.NewNopLogger(), db, nil, true, options, nil, server.DefaultBaseappOptions(options)...)
	state, err := appState(chain, genesis)
	if err != nil {
		return nil, err
	}
	params := *simtestutil.DefaultConsensusParams
	params.Block = &cmtproto.BlockParams{MaxBytes: 22020096, MaxGas: -1}
	_, err = chain.InitChain(&abci.RequestInitChain{
		ChainId:         genesis.ChainID,
		Time:            genesis.Time,
		ConsensusParams: &params,
		InitialHeight:   1,
		AppStateBytes:   state,
	})
	return &Chain{app: chain}, err
}

// run executes a block and measures each call. A transaction that fails is an error: figures of failures mean nothing.
func (c *Chain) run(block *Block) (Figures, error) {
	c.height++
	at := time.Unix(block.Time, 0).UTC()
	figures := Figures{Workload: block.Workload, Block: c.height, Txs: len(block.Txs), Checked: block.Check}
	failed := func(call string, err error) (Figures, error) {
		return figures, fmt.Errorf("block %d (%s): %s: %w", c.height, block.Workload, call, err)
	}
	start := time.Now()
	if block.Check {
		for i, tx := range block.Txs {
			answer, err := c.app.CheckTx(&abci.RequestCheckTx{Tx: tx, Type: abci.CheckTxType_New})
			if err != nil {
				return failed("CheckTx", err)
			}
			if answer.Code != 0 {
				return failed("CheckTx", fmt.Errorf("transaction %d: expected code 0, got %d: %s", i, answer.Code, answer.Log))
			}
		}
	}
	figures.CheckMs = lap(&start)
	readers := c.read(block.Readers)
	start = time.Now()
	proposal, err := c.app.ProcessProposal(&abci.RequestProcessProposal{
		Txs: block.Txs, Height: c.height, Time: at, ProposerAddress: proposer(),
	})
	if err != nil {
		return failed("ProcessProposal", err)
	}
	if !proposal.IsAccepted() {
		return failed("ProcessProposal", fmt.Errorf("expected ACCEPT, got %s", proposal.Status))
	}
	figures.ProcessMs = lap(&start)
	var votes []abci.VoteInfo
	if c.height > 1 {
		votes = []abci.VoteInfo{{
			Validator:   abci.Validator{Address: proposer(), Power: 1},
			BlockIdFlag: cmtproto.BlockIDFlagCommit,
		}}
	}
	answer, err := c.app.FinalizeBlock(&abci.RequestFinalizeBlock{
		Txs:               block.Txs,
		Height:            c.height,
		Time:              at,
		ProposerAddress:   proposer(),
		DecidedLastCommit: abci.CommitInfo{Votes: votes},
	})
	if err != nil {
		return failed("FinalizeBlock", err)
	}
	figures.FinalizeMs = lap(&start)
	if _, err := c.app.Commit(); err != nil {
		return failed("Commit", err)
	}
	figures.CommitMs = lap(&start)
	if figures.Queries, err = readers.stop(); err != nil {
		return failed("Query", err)
	}
	for i, result := range answer.TxResults {
		if result.Code != 0 {
			return failed("FinalizeBlock", fmt.Errorf("transaction %d: expected code 0, got %d: %s", i, result.Code, result.Log))
		}
		figures.Gas += result.GasUsed
	}
	figures.OK = len(answer.TxResults) == len(block.Txs)
	return figures, nil
}

// lap is the milliseconds since start, which it sets to now.
func lap(start *time.Time) float64 {
	now := time.Now()
	took := now.Sub(*start)
	*start = now
	return float64(took) / float64(time.Millisecond)
}

// close closes the state too.
func (c *Chain) close() error {
	return c.app.Close()
}
