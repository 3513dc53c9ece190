package node

import (
	"context"
	"fmt"
	"time"

	"lockstep/internal/disk"
)

// watchDisk stops the node when its database has failed, or in order while a little disk space remains: on a full disk a write fails at an
// arbitrary point.
func (n *Node) watchDisk(ctx context.Context) error {
	look := time.NewTicker(time.Second)
	defer look.Stop()
	warned := false
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-n.store.Failed():
			return fmt.Errorf("the node has halted: %w", n.store.Failure())
		case <-look.C:
		}
		if err := disk.CheckRunning(n.dir); err != nil {
			return fmt.Errorf("the node has halted: %w", err)
		}
		if room, err := disk.Free(n.dir); err == nil { // where the system doesn't tell, there is no forecast
			n.pace.Note(time.Now(), room)
		}
		warning := disk.Warning(n.dir)
		if warning != "" && !warned {
			n.logger.Warn(warning)
		}
		warned = warning != ""
	}
}
