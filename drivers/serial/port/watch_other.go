//go:build !linux

package port

import "context"

// watch looks for a missing port from time to time.
type watch struct{}

func newWatch(string) *watch { return &watch{} }

func (w *watch) aim() {}

func (w *watch) wait(ctx context.Context) { pause(ctx, retry) }

func (w *watch) close() {}
