import { ApiError } from "../../../../provider/kubernetes/api";
import { type Pod, reasonOf, treatmentOf } from "../../../../provider/kubernetes/drain";
import { problemOf } from "../../../../provider/kubernetes/nodes";
import { workloadProblem } from "../../../../provider/kubernetes/stages";

const node = (status: string, message?: string, reason?: string) => ({
    metadata: { name: "a" },
    status: { conditions: [{ type: "Ready", status, message, reason }] },
});

test.each([
    [undefined, "has not registered yet"],
    [{ metadata: { name: "a" } }, "has not reported a status yet"],
    [node("True", "kubelet is posting ready status"), undefined],
    [node("Unknown", "Kubelet stopped posting node status."), "kubelet stopped posting node status"],
    [
        node(
            "False",
            "container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:Network plugin " +
                "returns error: cni plugin not initialized",
        ),
        "network plugin is not ready",
    ],
    [node("False", "", "KubeletNotReady"), "not Ready (KubeletNotReady)"],
])("the problem of a node: %#", (found, problem) => expect(problemOf(found)).toBe(problem));

describe("the action of a drain for a pod", () => {
    const pod = (metadata: object = {}, phase = "Running"): Pod => ({
        metadata: { name: "x", namespace: "default", ...metadata },
        status: { phase },
    });
    const owned = (kind: string) => ({ ownerReferences: [{ kind, controller: true }] });

    test.each([
        ["evict", pod(owned("ReplicaSet"))],
        ["evict", pod(owned("StatefulSet"), "Pending")],
        ["leave", pod(owned("DaemonSet"))],
        ["leave", pod({ ...owned("Node"), annotations: { "kubernetes.io/config.mirror": "x" } })],
        ["leave", pod(owned("Job"), "Succeeded")],
        ["leave", pod({}, "Failed")],
        ["unmanaged", pod()],
        ["unmanaged", pod({ ownerReferences: [{ kind: "ReplicaSet" }] })],
        // It is already being deleted.
        ["evict", pod({ deletionTimestamp: "2026-01-01T00:00:00Z" })],
    ])("%s: %#", (treatment, of) => expect(treatmentOf(of)).toBe(treatment));

    test("a refused eviction names its PodDisruptionBudget", () => {
        const body = {
            details: { causes: [{ reason: "DisruptionBudget", message: "The disruption budget web needs 2" }] },
        };
        expect(reasonOf(new ApiError(429, "Cannot evict pod", body))).toBe("The disruption budget web needs 2");
        expect(reasonOf(new ApiError(429, "too many requests", {}))).toBe("too many requests");
    });
});

describe("whether a workload is available", () => {
    const deployment = (status: object) => ({ metadata: { generation: 2 }, spec: { replicas: 2 }, status });
    const done = { observedGeneration: 2, updatedReplicas: 2, availableReplicas: 2 };

    test.each([
        [undefined, done],
        ["its change has not been taken up yet", { ...done, observedGeneration: 1 }],
        ["1 of 2 pods are of its newest template", { ...done, updatedReplicas: 1 }],
        ["0 of 2 pods are available", { ...done, availableReplicas: undefined }],
    ])("Deployment: %s", (problem, status) => expect(workloadProblem("Deployment", deployment(status))).toBe(problem));

    test("a DaemonSet may lack pods on nodes that may be not Ready", () => {
        const of = (numberAvailable: number, wanted = 3) => ({
            metadata: { generation: 1 },
            status: {
                observedGeneration: 1,
                ...{ desiredNumberScheduled: wanted, updatedNumberScheduled: wanted },
                numberAvailable,
            },
        });
        expect(workloadProblem("DaemonSet", of(3))).toBeUndefined();
        expect(workloadProblem("DaemonSet", of(2))).toBe("2 of 3 pods are available");
        expect(workloadProblem("DaemonSet", of(2), 1)).toBeUndefined();
        expect(workloadProblem("DaemonSet", of(0, 0))).toBe("has no pods yet");
    });
});
