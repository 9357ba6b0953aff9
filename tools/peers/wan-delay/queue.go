package main

import (
	"encoding/binary"
	"errors"
	"syscall"
)

// linux/netfilter/nfnetlink_queue.h
const (
	netlinkNetfilter = 12
	subsystem        = 3 << 8
	messagePacket    = subsystem | 0
	messageVerdict   = subsystem | 1
	messageConfigure = subsystem | 2

	configureCommand   = 1
	configureCopy      = 2
	configureLengthMax = 3
	configureMask      = 4
	configureFlags     = 5
	commandBind        = 1
	copyNoPayload      = 1
	// Packets that do not fit in the queue pass, and large ones come in one piece.
	flagFailOpen = 1
	flagGSO      = 4

	packetHeader  = 1
	verdictHeader = 2
	drop          = 0
	accept        = 1

	// struct nlmsghdr and struct nfgenmsg.
	headerBytes = 20
	bufferBytes = 1 << 17
)

var host, network = binary.NativeEndian, binary.BigEndian

type queue struct {
	number uint16
	socket int
	buffer []byte
}

// openQueue takes over a queue of this network namespace.
func openQueue(number uint16) (*queue, error) {
	socket, err := syscall.Socket(syscall.AF_NETLINK, syscall.SOCK_RAW|syscall.SOCK_CLOEXEC, netlinkNetfilter)
	if err != nil {
		return nil, err
	}
	if err := syscall.Bind(socket, &syscall.SockaddrNetlink{Family: syscall.AF_NETLINK}); err != nil {
		return nil, err
	}
	if err := syscall.SetsockoptInt(socket, syscall.SOL_SOCKET, syscall.SO_RCVBUFFORCE, 8<<20); err != nil {
		return nil, err
	}
	q := &queue{number: number, socket: socket, buffer: make([]byte, bufferBytes)}
	flags := network.AppendUint32(nil, flagFailOpen|flagGSO)
	return q, errors.Join(
		q.configure(attribute(nil, configureCommand, []byte{commandBind, 0, 0, 0})),
		q.configure(attribute(nil, configureCopy, []byte{0, 0, 0, 0, copyNoPayload})),
		q.configure(attribute(nil, configureLengthMax, network.AppendUint32(nil, waitingMax))),
		q.configure(attribute(attribute(nil, configureMask, flags), configureFlags, flags)),
	)
}

// receive hands on the id of each packet until an error.
func (q *queue) receive(take func(id uint32)) error {
	for {
		count, _, err := syscall.Recvfrom(q.socket, q.buffer, 0)
		if err == syscall.EINTR || err == syscall.ENOBUFS {
			continue
		}
		if err != nil {
			return err
		}
		for rest := q.buffer[:count]; len(rest) >= headerBytes; {
			size := int(host.Uint32(rest))
			if size < headerBytes || size > len(rest) {
				return errors.New("a message of an impossible size")
			}
			if host.Uint16(rest[4:]) == messagePacket {
				if id, found := packetID(rest[headerBytes:size]); found {
					take(id)
				}
			}
			rest = rest[min(align(size), len(rest)):]
		}
	}
}

func packetID(attributes []byte) (uint32, bool) {
	for len(attributes) >= 4 {
		size := int(host.Uint16(attributes))
		if size < 4 || size > len(attributes) {
			return 0, false
		}
		// The two highest bits are flags.
		if host.Uint16(attributes[2:])&0x3fff == packetHeader && size >= 8 {
			return network.Uint32(attributes[4:]), true
		}
		attributes = attributes[min(align(size), len(attributes)):]
	}
	return 0, false
}

// verdict on a packet that is gone already, with its queue or its route, is of no effect.
func (q *queue) verdict(id, verdict uint32) {
	header := network.AppendUint32(network.AppendUint32(nil, verdict), id)
	_ = q.send(messageVerdict, 0, attribute(nil, verdictHeader, header))
}

func (q *queue) configure(attributes []byte) error {
	if err := q.send(messageConfigure, syscall.NLM_F_ACK, attributes); err != nil {
		return err
	}
	count, _, err := syscall.Recvfrom(q.socket, q.buffer, 0)
	if err != nil {
		return err
	}
	if count < headerBytes || host.Uint16(q.buffer[4:]) != syscall.NLMSG_ERROR {
		return errors.New("no acknowledgement")
	}
	if code := int32(host.Uint32(q.buffer[16:])); code != 0 {
		return syscall.Errno(-code)
	}
	return nil
}

func (q *queue) send(kind, flags uint16, attributes []byte) error {
	message := host.AppendUint32(nil, uint32(headerBytes+len(attributes)))
	message = host.AppendUint16(message, kind)
	message = host.AppendUint16(message, syscall.NLM_F_REQUEST|flags)
	// Sequence and sender; then family, version and the queue.
	message = append(message, make([]byte, 8+2)...)
	message = network.AppendUint16(message, q.number)
	message = append(message, attributes...)
	return syscall.Sendto(q.socket, message, 0, &syscall.SockaddrNetlink{Family: syscall.AF_NETLINK})
}

func attribute(to []byte, kind uint16, value []byte) []byte {
	to = host.AppendUint16(to, uint16(4+len(value)))
	to = host.AppendUint16(to, kind)
	to = append(to, value...)
	return append(to, make([]byte, align(len(to))-len(to))...)
}

func align(size int) int {
	return (size + 3) &^ 3
}
