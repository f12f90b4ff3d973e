#!/usr/bin/python3
"""The AWS CLI against the gateway, as people type it."""

import json

import installation
from installation import expect, run


def aws(it, *words, check=True):
    return run(["/usr/bin/aws", "--endpoint-url", it.endpoint, "--output", "json", *words],
               it.environment, check)


def a_cluster_from_its_creation_to_its_end(it):
    made = json.loads(aws(it, "elasticache", "create-cache-cluster", "--cache-cluster-id", "orders",
                          "--engine", "memcached", "--cache-node-type", "cache.t3.micro",
                          "--num-cache-nodes", "2", "--az-mode", "cross-az",
                          "--preferred-availability-zones", "us-east-1a", "us-east-1b"))
    expect(made["CacheCluster"]["CacheClusterStatus"] == "creating", made)
    aws(it, "elasticache", "wait", "cache-cluster-available", "--cache-cluster-id", "orders")
    shown = aws(it, "elasticache", "describe-cache-clusters", "--cache-cluster-id", "orders",
                "--show-cache-node-info", "--query",
                "CacheClusters[0].CacheNodes[].CustomerAvailabilityZone")
    expect(json.loads(shown) == ["us-east-1a", "us-east-1b"], shown)
    aws(it, "elasticache", "delete-cache-cluster", "--cache-cluster-id", "orders")
    aws(it, "elasticache", "wait", "cache-cluster-deleted", "--cache-cluster-id", "orders")


def errors_name_the_code(it):
    try:
        aws(it, "elasticache", "describe-cache-clusters", "--cache-cluster-id", "nope")
    except AssertionError as error:
        expect("(CacheClusterNotFound)" in str(error), error)
    else:
        raise AssertionError("not refused")


def unsigned_requests_are_answered(it):
    shown = aws(it, "--no-sign-request", "elasticache", "describe-cache-subnet-groups")
    expect(json.loads(shown)["CacheSubnetGroups"][0]["CacheSubnetGroupName"] == "default", shown)


def rules_are_written_in_short(it):
    made = aws(it, "ec2", "create-security-group", "--group-name", "web", "--description", "web",
               "--query", "GroupId")
    group = json.loads(made)
    aws(it, "ec2", "authorize-security-group-ingress", "--group-id", group, "--protocol", "tcp",
        "--port", "6379", "--cidr", "172.31.0.0/16")
    shown = json.loads(aws(it, "ec2", "describe-security-groups", "--group-ids", group))
    expect(shown["SecurityGroups"][0]["IpPermissions"][0]["FromPort"] == 6379, shown)
    aws(it, "ec2", "delete-security-group", "--group-id", group)


if __name__ == "__main__":
    installation.main(a_cluster_from_its_creation_to_its_end, errors_name_the_code,
                      unsigned_requests_are_answered, rules_are_written_in_short)
