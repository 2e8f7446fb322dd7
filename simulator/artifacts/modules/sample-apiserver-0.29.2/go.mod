module pulumi-cloudstack/simulator/artifacts/modules/sample-apiserver-0.29.2

go 1.21

require k8s.io/sample-apiserver v0.29.2
