package main

import (
	"math/rand"
	"time"
)

// As many packets as the kernel keeps for a queue.
const waitingMax = 65536

type waiting struct {
	id  uint32
	due time.Time
}

// delay lets each packet of the queue go in its time; it returns with the first error.
func (q *queue) delay(its *line) error {
	held := make(chan waiting, waitingMax)
	defer close(held)
	go q.release(held)
	var last time.Time
	return q.receive(func(id uint32) {
		now := its.get()
		if rand.Float64()*100 < now.lossPercent {
			q.verdict(id, drop)
			return
		}
		due := time.Now().Add(now.delay + spread(now.jitter))
		// A packet that overtakes another is a loss to TCP, and a line has no such thing.
		if due.Before(last) {
			due = last
		}
		last = due
		held <- waiting{id, due}
	})
}

func (q *queue) release(held <-chan waiting) {
	for each := range held {
		time.Sleep(time.Until(each.due))
		q.verdict(each.id, accept)
	}
}

func spread(jitter time.Duration) time.Duration {
	return time.Duration((2*rand.Float64() - 1) * float64(jitter))
}
