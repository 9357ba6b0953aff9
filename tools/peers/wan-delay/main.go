// Makes lines between regions as long as they are in the world, on kernels that have no netem: a
// firewall rule hands the packets of a line to a queue, and here each is let go when its time has come,
// in the order in which they came.
//
// One line of standard input sets one queue: "<queue> <delay ms> <jitter ms> <loss %>". It answers each
// with "ok", and ends with its input.
package main

import (
	"bufio"
	"fmt"
	"os"
	"sync"
	"time"
)

// A line's length, as it is now.
type length struct {
	delay, jitter time.Duration
	lossPercent   float64
}

type line struct {
	mutex sync.Mutex
	now   length
}

func (l *line) set(to length) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.now = to
}

func (l *line) get() length {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.now
}

func main() {
	lines := map[uint16]*line{}
	for input := bufio.NewScanner(os.Stdin); input.Scan(); {
		queue, to, err := parse(input.Text())
		if err != nil {
			fail(err)
		}
		if known, found := lines[queue]; found {
			known.set(to)
		} else {
			lines[queue] = &line{now: to}
			open(queue, lines[queue])
		}
		fmt.Println("ok")
	}
}

func parse(text string) (uint16, length, error) {
	var queue uint16
	var delayMs, jitterMs, lossPercent float64
	_, err := fmt.Sscanf(text, "%d %f %f %f", &queue, &delayMs, &jitterMs, &lossPercent)
	if err != nil {
		return 0, length{}, fmt.Errorf("illegal line '%s': %w", text, err)
	}
	return queue, length{milliseconds(delayMs), milliseconds(jitterMs), lossPercent}, nil
}

func milliseconds(count float64) time.Duration {
	return time.Duration(count * float64(time.Millisecond))
}

func open(number uint16, its *line) {
	opened, err := openQueue(number)
	if err != nil {
		fail(fmt.Errorf("queue %d: %w", number, err))
	}
	go func() { fail(opened.delay(its)) }()
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "wan-delay:", err)
	os.Exit(1)
}
