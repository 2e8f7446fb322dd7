module pulumi-cloudstack/simulator/artifacts/modules/pause

go 1.25.0
