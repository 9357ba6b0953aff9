// Says of chains what Go's crypto/x509 says of them, as istiod, Linkerd's identity service and Open Service Mesh
// ask it: a list of {roots, chain} in PEM comes in, the refusals come out in its order, empty for a good one.
package main

import (
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"os"
)

type question struct{ Roots, Chain string }

func main() {
	var questions []question
	if err := json.NewDecoder(os.Stdin).Decode(&questions); err != nil {
		panic(err)
	}
	answers := make([]string, len(questions))
	for i, q := range questions {
		answers[i] = verify(q)
	}
	if err := json.NewEncoder(os.Stdout).Encode(answers); err != nil {
		panic(err)
	}
}

// Each purpose by itself: of several Verify is content with one.
func verify(q question) string {
	chain := parse(q.Chain)
	for _, usage := range []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth} {
		options := x509.VerifyOptions{
			Roots:         pool(parse(q.Roots)),
			Intermediates: pool(chain[1:]),
			KeyUsages:     []x509.ExtKeyUsage{usage},
		}
		if _, err := chain[0].Verify(options); err != nil {
			return err.Error()
		}
	}
	return ""
}

func pool(certificates []*x509.Certificate) *x509.CertPool {
	all := x509.NewCertPool()
	for _, each := range certificates {
		all.AddCert(each)
	}
	return all
}

func parse(text string) (all []*x509.Certificate) {
	for rest := []byte(text); ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return all
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			panic(err)
		}
		all = append(all, certificate)
	}
}
