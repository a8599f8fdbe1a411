package main

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	abci "github.com/cometbft/cometbft/abci/types"
)

// readers ask until they are stopped.
type readers struct {
	done    atomic.Bool
	queries atomic.Uint64
	failure atomic.Pointer[error]
	group   sync.WaitGroup
}

func (c *Chain) read(queries []Reader) *readers {
	r := &readers{}
	for _, query := range queries {
		r.group.Add(1)
		go func() {
			defer r.group.Done()
			for !r.done.Load() {
				answer, err := c.app.Query(context.Background(), &abci.RequestQuery{Path: query.Path, Data: query.Data})
				if err == nil && answer.Code != 0 {
					err = fmt.Errorf("%s: expected code 0, got %d: %s", query.Path, answer.Code, answer.Log)
				}
				if err != nil {
					r.failure.Store(&err)
					return
				}
				r.queries.Add(1)
			}
		}()
	}
	return r
}

// stop ends them and says how many queries were answered.
func (r *readers) stop() (uint64, error) {
	r.done.Store(true)
	r.group.Wait()
	if err := r.failure.Load(); err != nil {
		return 0, *err
	}
	return r.queries.Load(), nil
}
