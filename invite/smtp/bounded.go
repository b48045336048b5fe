package smtp

import "net"

// maxHeard is how much of a server's talk is listened to, in bytes: certificates are a few
// thousand, answers a few hundred. The library reads lines of any length, and what is on the
// other end of the wire is not known before the certificate is.
const maxHeard = 1 << 20

// bounded is a connection that can be read up to a limit.
type bounded struct {
	net.Conn
	left int
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errTooMuch
	}
	n, err := b.Conn.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}
